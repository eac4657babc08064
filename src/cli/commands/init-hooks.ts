/** The activity log's hooks in Claude Code's settings: the way in for who does not use the plugin. */
import { homedir } from "node:os";
import { join } from "node:path";
import { Command, Option } from "commander";
import { examples, type Call } from "../call.ts";
import type { CommonFlags } from "../flags.ts";
import {
  addHooks,
  hasPlugin,
  installedEvents,
  ownHookCommand,
  removeHooks,
  type HookCommand,
  type SettingsChange,
} from "../settings/hook-settings.ts";

export const hookScopes = ["user", "project", "local"] as const;
/** Whose settings: the user's, the project's (in its repository), or the user's own for the project. */
export type HookScope = (typeof hookScopes)[number];

export interface InitHooksOptions {
  readonly directory: string;
  readonly scope?: HookScope;
  /** Take them away again. */
  readonly undo?: boolean;
  /** Only say what would change. */
  readonly dryRun?: boolean;
}

/** Adds or removes the hooks and says what changed: `claude-pool hooks install`, and `init --hooks`. */
export async function initHooks(call: Call, options: InitHooksOptions): Promise<SettingsChange> {
  const { directory, scope = "user", undo = false, dryRun = false } = options;
  const file = settingsFile(scope, directory, call);
  const command = hookCommand(scope);
  const change = undo ? removeHooks(file, !dryRun) : addHooks(file, command, !dryRun);
  if (call.json) await call.out.record({ ...change, dryRun });
  else await sayChange(call, change, { undo, dryRun, command });
  if (!undo && hasPlugin(file)) {
    call.out.say("The plugin pool is enabled too and brings the same hooks; keep one of the two.");
  }
  return change;
}

/** `hooks`: install, uninstall, show. */
export function hooksCommand(call: Call): Command {
  return new Command("hooks")
    .summary("connect your Claude terminals to the activity log")
    .description(
      "Puts claude-pool's hooks into Claude Code's settings, so that your terminals see what others report and claim. The plugin in\n" +
        "plugin/ does the same without touching settings; use one of the two.",
    )
    .addCommand(changeCommand(call, "install"))
    .addCommand(changeCommand(call, "uninstall"))
    .addCommand(showCommand(call))
    .addHelpText(
      "after",
      examples("claude-pool hooks install", "claude-pool hooks show", "claude-pool hooks uninstall"),
    );
}

type Flags = CommonFlags & { readonly scope: HookScope; readonly dryRun?: boolean };

function changeCommand(call: Call, name: "install" | "uninstall"): Command {
  const undo = name === "uninstall";
  const command = new Command(name)
    .summary(undo ? "take exactly what install added out again" : "add the hooks to Claude Code's settings")
    .description(
      undo
        ? "Removes the hooks and nothing else; where nothing else has changed since, the file is as it was, byte for byte."
        : "Adds the hooks beside whatever is there, keeps the file as it was beside it, and says what it changed.",
    )
    .addOption(new Option("--scope <scope>", "whose settings").choices(hookScopes).default("user"))
    .option("--dry-run", "only say what would change")
    .addHelpText("after", examples(`claude-pool hooks ${name}`, `claude-pool hooks ${name} --scope local --dry-run`));
  return call.carryOut<Flags>(command, async (flags) => {
    const { scope, dryRun = false } = flags;
    await initHooks(call, { directory: call.directory(flags), scope, undo, dryRun });
  });
}

function showCommand(call: Call): Command {
  const command = new Command("show")
    .summary("which settings have the hooks")
    .addHelpText("after", examples("claude-pool hooks show", "claude-pool hooks show --json"));
  return call.carryOut<CommonFlags>(command, async (flags) => {
    const directory = call.directory(flags);
    for (const scope of hookScopes) {
      const file = settingsFile(scope, directory, call);
      const found = { scope, file, events: installedEvents(file), plugin: hasPlugin(file) };
      if (call.json) await call.out.record(found);
      else
        await call.out.line(
          `${scope.padEnd(8)} ${found.events.length === 0 ? "no hooks" : "hooks"}${found.plugin ? ", plugin" : ""}  ${file}`,
        );
    }
  });
}

function settingsFile(scope: HookScope, directory: string, { io }: Call): string {
  const config = io.env.CLAUDE_CONFIG_DIR ?? "";
  if (scope === "user")
    return join(config === "" ? join(io.env.HOME ?? homedir(), ".claude") : config, "settings.json");
  return join(directory, ".claude", scope === "project" ? "settings.json" : "settings.local.json");
}

/** Settings that others share cannot name a place on this machine: there the program must be on the PATH. */
function hookCommand(scope: HookScope): HookCommand {
  return scope === "project" ? { command: "claude-pool-hook", args: [] } : ownHookCommand();
}

interface Said {
  readonly undo: boolean;
  readonly dryRun: boolean;
  readonly command: HookCommand;
}

async function sayChange(
  call: Call,
  { file, events, backup }: SettingsChange,
  { undo, dryRun, command }: Said,
): Promise<void> {
  if (events.length === 0) {
    call.out.say(undo ? `${file} has no hooks of claude-pool.` : `${file} has the hooks already.`);
    return;
  }
  const mark = undo ? "-" : "+";
  const runs = undo ? "" : `  ${[command.command, ...command.args].join(" ")}`;
  for (const event of events) await call.out.line(`${mark} ${event.padEnd(16)}${runs}`.trimEnd());
  call.out.say(`${file} ${dryRun ? "would be changed" : "was changed"}.`);
  if (backup !== undefined) call.out.say(`As it was: ${backup}`);
  if (!undo && !dryRun)
    call.out.say("Terminals opened from now on take part; `claude-pool hooks uninstall` takes it back.");
}
