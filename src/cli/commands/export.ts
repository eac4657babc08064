import { createWriteStream } from "node:fs";
import { resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Command } from "commander";
import { examples, type Call } from "../call.ts";
import type { CommonFlags } from "../flags.ts";

type Flags = CommonFlags & { readonly output?: string };

/** `export`: every record as JSON lines. */
export function exportCommand(call: Call): Command {
  const command = new Command("export")
    .summary("print every record as JSON lines")
    .description("Prints every record of the pool as JSON, one a line: readable, portable, and what `import` reads.")
    .option("-o, --output <file>", "write to a file instead of stdout")
    .addHelpText("after", examples("claude-pool export -o pool.jsonl", "claude-pool export | gzip > pool.jsonl.gz"));
  return call.carryOut<Flags>(command, (flags) =>
    call.look(flags, async (pool) => {
      if (flags.output !== undefined) {
        // The records hold prompts and answers: for the user's eyes, as the store is.
        const file = createWriteStream(resolve(call.io.cwd, flags.output), { mode: 0o600 });
        await pipeline(Readable.from(withNewlines(pool.export())), file);
        return;
      }
      for await (const line of withNewlines(pool.export())) {
        if (call.out.closed.aborted) return;
        await call.out.write(line);
      }
    }),
  );
}

async function* withNewlines(lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines) yield line.endsWith("\n") ? line : `${line}\n`;
}
