import { Command } from "commander";
import { snakeCase, toWire } from "../../core/wire.ts";
import { examples, type Call } from "../call.ts";
import { addHostFlags, addTaskFlags, poolSettingsOf, type HostFlags, type TaskFlags } from "../flags.ts";
import { projectFilePath, userFilePath } from "../settings/files.ts";
import { oneLine, table } from "../terminal/table.ts";

type Flags = HostFlags & TaskFlags;

/** `config`: every setting, and where it comes from. */
export function configCommand(call: Call): Command {
  const command = new Command("config")
    .summary("show every setting and its origin")
    .description(
      "Shows the settings in force here: flags over environment over the project's file over the user's over defaults.",
    );
  addHostFlags(addTaskFlags(command)).addHelpText(
    "after",
    examples("claude-pool config", "claude-pool config --json --model opus"),
  );
  return call.carryOut<Flags>(command, async (flags) => {
    const { chosen, all } = call.settings(flags, poolSettingsOf(flags, call.io.cwd, true));
    const store = { value: call.storeOf(chosen, flags), source: all.store?.source ?? "default" };
    const settings = Object.entries({ ...all, store }).sort(([a], [b]) => (a < b ? -1 : 1));
    const files = {
      project: projectFilePath(call.directory(flags), call.io.env),
      user: userFilePath(call.io.env),
    };
    if (call.json) {
      const wire: Record<string, unknown> = {};
      for (const [key, { value, source }] of settings) wire[snakeCase(key)] = { value: shown(key, value), source };
      await call.out.line(JSON.stringify({ settings: wire, files }));
      return;
    }
    const rows = settings.map(([key, { value, source }]) => [
      snakeCase(key),
      oneLine(JSON.stringify(shown(key, value)), 80),
      source,
    ]);
    for (const line of table([["SETTING", "VALUE", "FROM"], ...rows])) await call.out.line(line);
    call.out.say(`project file: ${files.project ?? "none"}; user file: ${files.user}`);
  });
}

/** Names of variables, never their values: a key may be among them. */
function shown(key: string, value: unknown): unknown {
  if (key === "env") return Object.fromEntries(Object.keys(value as object).map((name) => [name, "…"]));
  if (key === "mcpServers") return Object.keys(value as object);
  return toWire(value);
}
