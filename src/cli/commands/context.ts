import { text as readAll } from "node:stream/consumers";
import { Command } from "commander";
import { nearest } from "../../schema/nearest.ts";
import { examples, type Call } from "../call.ts";
import type { ExitCode } from "../exit.ts";
import type { CommonFlags } from "../flags.ts";
import { oneLine, table } from "../terminal/table.ts";

/** `context`: facts that every slot is told. */
export function contextCommand(call: Call): Command {
  return new Command("context")
    .summary("facts that every slot is told")
    .description("Shared facts: every slot sees them from its next task on.")
    .addCommand(setCommand(call))
    .addCommand(getCommand(call))
    .addCommand(deleteCommand(call))
    .addCommand(listCommand(call), { isDefault: true })
    .addHelpText("after", examples('claude-pool context set style "Tabs, no semicolons"', "claude-pool context list"));
}

function setCommand(call: Call): Command {
  const command = new Command("set")
    .description("Set a fact; with - its text is read from stdin.")
    .argument("<key>")
    .argument("<value>");
  return call.carryOut<CommonFlags>(command, (flags, [key, value]) =>
    call.look(flags, async (pool) => {
      await pool.setContext(key as string, value === "-" ? await readAll(call.io.stdin) : (value as string));
    }),
  );
}

function getCommand(call: Call): Command {
  const command = new Command("get").description("Print one fact.").argument("<key>");
  return call.carryOut<CommonFlags>(command, (flags, [key]) =>
    call.look(flags, async (pool) => {
      const value = await pool.getContext(key as string);
      if (value === undefined) return unknownKey(call, key as string, Object.keys(await pool.listContext()));
      await (call.json ? call.out.line(JSON.stringify({ key, value })) : call.out.line(value));
      return 0;
    }),
  );
}

function deleteCommand(call: Call): Command {
  const command = new Command("delete").description("Remove one fact.").argument("<key>");
  return call.carryOut<CommonFlags>(command, (flags, [key]) =>
    call.look(flags, async (pool) => {
      const known = Object.keys(await pool.listContext());
      return (await pool.deleteContext(key as string)) ? 0 : unknownKey(call, key as string, known);
    }),
  );
}

function listCommand(call: Call): Command {
  const command = new Command("list").description("Print every fact.");
  return call.carryOut<CommonFlags>(command, (flags) =>
    call.look(flags, async (pool) => {
      const entries = Object.entries(await pool.listContext()).sort(([a], [b]) => (a < b ? -1 : 1));
      if (call.json) {
        for (const [key, value] of entries) await call.out.line(JSON.stringify({ key, value }));
        return;
      }
      if (entries.length === 0) call.out.say("No facts.");
      for (const line of table(entries.map(([key, value]) => [key, oneLine(value, 200)]))) await call.out.line(line);
    }),
  );
}

/** Not found, as an id that is not found: exit 4. */
function unknownKey(call: Call, key: string, known: readonly string[]): ExitCode {
  const meant = nearest(key, known);
  const hint =
    meant === undefined ? "`claude-pool context list` shows the keys." : `Did you mean ${JSON.stringify(meant)}?`;
  call.out.say(`No fact ${JSON.stringify(key)} in this pool. ${hint}`);
  return 4;
}
