import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { Command } from "commander";
import { invalidOptions } from "../../core/errors.ts";
import { examples, type Call } from "../call.ts";
import type { CommonFlags } from "../flags.ts";
import { counted } from "../quantities.ts";

/** `import`: what `export` wrote, into an empty pool. */
export function importCommand(call: Call): Command {
  const command = new Command()
    .name(`import`)
    .summary("read an export into an empty pool")
    .description("Reads an export into a pool that holds nothing yet: all of it, checked line by line, or nothing.")
    .argument("[file]", "the file; without it, or with -, stdin")
    .addHelpText(
      "after",
      examples("claude-pool import pool.jsonl", "gunzip -c pool.jsonl.gz | claude-pool import --store other.db"),
    );
  return call.carryOut<CommonFlags>(command, (flags, [file]) =>
    call.look(flags, async (pool) => {
      const input = await openInput(call, file as string | undefined);
      const counts = await pool.import(createInterface({ input, crlfDelay: Infinity }));
      if (call.json) await call.out.record(counts);
      else await call.out.line(`imported ${counted(counts.tasks, "task")} and ${counted(counts.runs, "run")}`);
    }),
  );
}

async function openInput(call: Call, file: string | undefined): Promise<NodeJS.ReadableStream> {
  if (file === undefined || file === "-") return call.io.stdin;
  const stream = createReadStream(resolve(call.io.cwd, file), "utf8");
  return new Promise((opened, failed) => {
    stream.once("open", () => opened(stream));
    stream.once("error", (error) =>
      failed(invalidOptions(`Cannot read ${JSON.stringify(file)}: ${error.message}.`, "file")),
    );
  });
}
