import { Command, Option } from "commander";
import { invalidOptions } from "../../core/errors.ts";
import { permissionModes } from "../../core/task.ts";
import { profiles } from "../../mcp/profile.ts";
import { repositoryTop } from "../../project.ts";
import { examples, type Call } from "../call.ts";
import type { CommonFlags } from "../flags.ts";
import { McpFile, type Change } from "../mcp-file.ts";
import { wholeNumber } from "../quantities.ts";
import { hookScopes, initHooks, type HookScope } from "./init-hooks.ts";

type Flags = CommonFlags & {
  readonly name: string;
  readonly slots?: number;
  readonly profile?: string;
  readonly permissionMode?: string;
  readonly undo?: boolean;
  readonly force?: boolean;
  readonly dryRun?: boolean;
  readonly hooks?: boolean;
  readonly scope?: HookScope;
};

const defaultName = "claude-pool";

/** `init`: puts the pool into the project's .mcp.json, or takes it out again; with `--hooks` the hooks into Claude Code's settings. */
export function initCommand(call: Call): Command {
  const command = new Command("init")
    .summary("put the pool into .mcp.json for MCP clients, or its hooks into Claude Code's settings")
    .description(
      "Writes the pool's MCP server into .mcp.json at the top of the repository (of --cwd, outside of one). Other servers and every\n" +
        "other character of the file stay; the change is shown; --undo takes it back. With --hooks it is Claude Code's settings instead,\n" +
        "which get the activity log's hooks, as `claude-pool hooks install` puts them there.",
    )
    .option("--name <name>", "what the server is called", serverName, defaultName)
    .option("--slots <n>", "how many tasks run at once (default: 2)", wholeNumber("--slots", 0))
    .addOption(new Option("--profile <name>", "which tools: core or full (default: full)").choices(profiles))
    .addOption(
      new Option(
        "--permission-mode <mode>",
        "what workers may do unless a task says otherwise (default: plan)",
      ).choices(permissionModes),
    )
    .option("--hooks", "the activity log's hooks in Claude Code's settings, instead of the server")
    .addOption(new Option("--scope <scope>", "with --hooks: whose settings (default: user)").choices(hookScopes))
    .option("--undo", "take out again what was put in, and put back what was there before")
    .option("--force", "also where the file has another server of this name")
    .option("--dry-run", "show the change, and write nothing")
    .addHelpText(
      "after",
      examples(
        "claude-pool init",
        "claude-pool init --slots 4 --profile core --dry-run",
        "claude-pool init --undo",
        "claude-pool init --hooks",
        "claude-pool init --hooks --undo",
      ),
    );
  return call.carryOut<Flags>(command, async (flags) => {
    const directory = call.directory(flags);
    refuseMixed(flags);
    if (flags.hooks === true) {
      const { scope = "user", undo = false, dryRun = false } = flags;
      await initHooks(call, { directory, scope, undo, dryRun });
      return;
    }
    const file = new McpFile(repositoryTop(directory) ?? directory, call.io.env);
    const change =
      flags.undo === true
        ? file.without(flags.name, flags.force === true)
        : file.with(flags.name, entryOf(flags), flags.force === true);
    if (flags.dryRun !== true) file.write(change);
    await show(call, change, flags.dryRun === true);
  });
}

/** What is said of the one must not be lost silently where the other is done. */
function refuseMixed({ hooks, scope, name, slots, profile, permissionMode, force }: Flags): void {
  if (hooks !== true) {
    if (scope !== undefined)
      throw invalidOptions("--scope: only with --hooks. The server stands in .mcp.json.", "--scope");
    return;
  }
  const ofServer: Readonly<Record<string, boolean>> = {
    "--name": name !== defaultName,
    "--slots": slots !== undefined,
    "--profile": profile !== undefined,
    "--permission-mode": permissionMode !== undefined,
    "--force": force === true,
  };
  const flag = Object.keys(ofServer).find((one) => ofServer[one] === true);
  if (flag !== undefined) throw invalidOptions(`${flag}: not with --hooks. Run \`init\` for each of the two.`, flag);
}

/** As Claude Code takes it: its tools are called by it. */
function serverName(text: string): string {
  if (/^[A-Za-z0-9][\w-]{0,63}$/.test(text)) return text;
  throw invalidOptions(
    `--name: expected letters, digits, - and _, beginning with a letter or digit, got ${JSON.stringify(text)}.`,
    "--name",
  );
}

function entryOf({ slots, profile, permissionMode }: Flags): {
  readonly command: string;
  readonly args: readonly string[];
} {
  const options = [
    ...(slots === undefined ? [] : ["--slots", String(slots)]),
    ...(profile === undefined ? [] : ["--profile", profile]),
    ...(permissionMode === undefined ? [] : ["--permission-mode", permissionMode]),
  ];
  return { command: "npx", args: ["-y", "claude-pool", "mcp", ...options] };
}

async function show(call: Call, change: Change, isDry: boolean): Promise<void> {
  const { path, action, before, after, name } = change;
  if (call.json) {
    await call.out.line(
      JSON.stringify({ file: path, action, name, written: !isDry && action !== "unchanged", before, after }),
    );
    return;
  }
  for (const line of changedLines(before ?? "", after ?? "")) {
    await call.out.line(
      line.startsWith("+") ? call.out.colour.green(line) : line.startsWith("-") ? call.out.colour.red(line) : line,
    );
  }
  const done = isDry ? "would be" : "is";
  const said: Readonly<Record<Change["action"], string>> = {
    created: `${path} ${done} written.`,
    updated: `${path} ${done} changed.`,
    removed: `${path} ${done} removed: it held nothing else.`,
    unchanged: change.isUndo
      ? `${path} has no server ${JSON.stringify(name)}: nothing is taken out.`
      : `${path} has the server ${JSON.stringify(name)} already, and stays as it is.`,
  };
  call.out.say(said[action]);
  if (!isDry && (action === "created" || action === "updated") && !change.isUndo) {
    call.out.say("Start `claude` in this project and allow the server; `claude-pool init --undo` takes it back.");
  }
}

/** The lines that differ, with two of what is around them: a change of one entry is one piece. */
function changedLines(before: string, after: string): readonly string[] {
  if (before === after) return [];
  const [old, now] = [before, after].map((text) => (text === "" ? [] : text.replace(/\n$/, "").split("\n"))) as [
    string[],
    string[],
  ];
  let start = 0;
  while (start < Math.min(old.length, now.length) && old[start] === now[start]) start += 1;
  let end = 0;
  while (end < Math.min(old.length, now.length) - start && old.at(-1 - end) === now.at(-1 - end)) end += 1;
  const context = 2;
  return [
    ...now.slice(Math.max(0, start - context), start).map((line) => `  ${line}`),
    ...old.slice(start, old.length - end).map((line) => `- ${line}`),
    ...now.slice(start, now.length - end).map((line) => `+ ${line}`),
    ...now.slice(now.length - end, now.length - end + context).map((line) => `  ${line}`),
  ];
}
