/** Flags that several commands share, and what they mean to the library. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Option, type Command } from "commander";
import { invalidOptions } from "../core/errors.ts";
import { efforts, permissionModes, type JsonObject, type SlotConfig, type TaskSpec } from "../core/task.ts";
import { isolations } from "../core/workspace.ts";
import { parseSettings, parseSlotConfig, parseTaskSpec } from "../schema/parse.ts";
import { collected } from "./collected.ts";
import { duration, figure } from "./quantities.ts";
import { withOneCap, type Settings } from "./settings/files.ts";

/** Flags of every command. */
export interface CommonFlags {
  readonly cwd?: string;
  readonly store?: string;
  readonly json?: boolean;
}

/** Flags that say how a task runs; named as the fields of the library where they are fields. */
export interface TaskFlags extends CommonFlags {
  readonly model?: string;
  readonly effort?: string;
  readonly permissionMode?: string;
  readonly maxTurns?: number | string;
  readonly systemPrompt?: string;
  readonly systemPromptMode?: string;
  readonly allowedTools?: readonly string[];
  readonly disallowedTools?: readonly string[];
  readonly tools?: readonly string[];
  readonly fallbackModel?: string;
  readonly settingSources?: readonly string[];
  readonly mcpConfig?: string;
  readonly workerTools?: readonly string[];
  readonly timeout?: number;
  readonly isolation?: string;
  readonly worktree?: boolean;
  readonly baseRef?: string;
  /** False: `--no-check`. */
  readonly check?: readonly string[] | false;
  readonly checkRetries?: number | string;
}

/** Flags of one task or of each of several. */
export interface SpecFlags extends TaskFlags {
  readonly priority?: number | string;
  readonly tag?: readonly string[];
  readonly queueTimeout?: number;
  readonly key?: string;
  readonly maxBudgetUsd?: number | string;
  readonly jsonSchema?: string;
  readonly mayDispatch?: boolean;
  readonly review?: boolean;
  readonly maxRejections?: number | string;
  readonly afterRejection?: string;
  readonly retries?: number | string;
  readonly retryDelay?: number;
  readonly continue?: boolean;
  readonly conversation?: string;
  readonly merge?: string;
  readonly path?: readonly string[];
  readonly claimWait?: number;
}

/** Flags of commands that host slots. */
export interface HostFlags extends CommonFlags {
  readonly slots?: number | string;
  readonly budgetUsd?: number | string;
  readonly budgetRenews?: string;
  readonly claude?: string;
  readonly allowBypassPermissions?: boolean;
  readonly unattended?: boolean;
  readonly env?: readonly string[];
}

export function addCommonFlags(command: Command): Command {
  return command
    .option("--cwd <dir>", "the project's directory; tasks work there (default: the current one)")
    .option("--store <file>", "the pool's database (default: the project's own, in ~/.claude-pool)")
    .option("--json", "print JSON, one record a line");
}

export function addTaskFlags(command: Command): Command {
  return command
    .optionsGroup("How the task runs:")
    .option("-m, --model <name>", "alias or id of the model")
    .addOption(new Option("--effort <level>", `how much it thinks: ${efforts.join(", ")}`))
    .addOption(
      new Option("--permission-mode <mode>", `${permissionModes.join(", ")} (default: plan, which changes nothing)`),
    )
    .option("--max-turns <n>", "the most turns", figure)
    .option("--timeout <duration>", "the longest it may run, such as 10m", duration("--timeout"))
    .option("--system-prompt <text>", "appended to Claude Code's own system prompt")
    .option("--system-prompt-mode <mode>", "append, or replace Claude Code's own")
    .option("--allowed-tools <rules>", "tools allowed without asking, such as 'Edit,Bash(git log:*)'", rules)
    .option("--disallowed-tools <rules>", "tools that are refused", rules)
    .option("--tools <names>", "the built-in tools that exist at all", rules)
    .option("--fallback-model <name>", "the model to go on with when the first is overloaded")
    .option("--setting-sources <list>", "whose CLAUDE.md and settings apply: user,project,local", rules)
    .option("--mcp-config <file>", "MCP servers, as in .mcp.json")
    .option("--worker-tools <list>", "tools of the pool for the worker: all, or messages,ask,progress,context", rules)
    .optionsGroup("Where it works, and what proves it done:")
    .option("--worktree", "the same as --isolation worktree: a git worktree, so that tasks edit side by side")
    .addOption(
      new Option(
        "--isolation <kind>",
        `${isolations.join(", ")} (default: none, the shared directory; of chains in a repository: worktree)`,
      ),
    )
    .option("--base-ref <ref>", "what its worktree or clone begins from (default: HEAD)")
    .option("--check <command>", "must succeed on its tree, such as 'npm test'; may be given again", checks)
    .option("--no-check", "none of the checks that are configured")
    .option("--check-retries <n>", "how often failed checks go back to the worker (default: 2)", figure);
}

export function addSpecFlags(command: Command): Command {
  return addTaskFlags(command)
    .option("--may-dispatch", "the worker may submit tasks of its own, as deep as max_depth says")
    .option("--json-schema <schema>", "the answer must fit this JSON schema: JSON, or a file")
    .option("--max-budget-usd <usd>", "the task's own cap in dollars", figure)
    .option("--continue", "go on in the slot's last conversation")
    .option("--conversation <task>", "go on in the conversation of this task")
    .optionsGroup("When it fails, and who says that it is done:")
    .option("--retries <n>", "how often it is tried again after a failure that can heal (default: 0)", figure)
    .option(
      "--retry-delay <duration>",
      "before the first retry, such as 30s; doubled before each after it",
      duration("--retry-delay"),
    )
    .option("--review", "stop until it is approved or rejected: claude-pool review")
    .option("--max-rejections <n>", "the rejection that fails it is this one (default: 3)", figure)
    .option("--after-rejection <how>", "fresh (default), or continue in the same conversation")
    .option("--merge <when>", "auto: into the merge queue when it is done, or approved (default: manual)")
    .optionsGroup("How it is queued:")
    .option("--priority <n>", "a whole number, higher first (default: 0)", figure)
    .option("--tag <tag>", "a word to find it by; may be given again", collected)
    .option("--queue-timeout <duration>", "fail if no slot takes it in this time", duration("--queue-timeout"))
    .option("--key <key>", "idempotency key: the same key and task give the first id")
    .option(
      "--path <path>",
      "what it will edit or use, such as 'src/auth/**' or port:3000; may be given again",
      collected,
    )
    .option("--claim-wait <duration>", "wait for others' claims on these at most so long", duration("--claim-wait"));
}

export function addHostFlags(command: Command): Command {
  return command
    .optionsGroup("The slots:")
    .option("--slots <n>", "how many tasks run at once", figure)
    .option("--budget-usd <usd>", "the pool's cap in dollars", figure)
    .option("--budget-renews <period>", "none, day or week: when spending counts anew")
    .option("--claude <program>", "the Claude program (default: CLAUDE_POOL_CLAUDE, else the Agent SDK's)")
    .option("--allow-bypass-permissions", "make permission mode bypassPermissions possible")
    .option("--unattended", "without a permission mode: dontAsk instead of plan")
    .option("--env <NAME=value>", "added to Claude's environment; may be given again", collected);
}

/** What the flags say of each task, without a prompt. */
export function specOf(flags: SpecFlags, base: string): Omit<TaskSpec, "prompt"> {
  if (flags.continue === true && flags.conversation !== undefined) {
    throw invalidOptions("--continue and --conversation name two conversations: give one of them.", "--conversation");
  }
  const { prompt: _, ...spec } = parseTaskSpec(
    {
      prompt: "-",
      ...overrides(flags, base),
      jsonSchema: flags.jsonSchema === undefined ? undefined : jsonArgument(flags.jsonSchema, base),
      maxBudgetUsd: flags.maxBudgetUsd,
      mayDispatch: flags.mayDispatch,
      priority: flags.priority,
      tags: flags.tag,
      timeoutMs: flags.timeout,
      queueTimeoutMs: flags.queueTimeout,
      key: flags.key,
      review: flags.review,
      maxRejections: flags.maxRejections,
      afterRejection: flags.afterRejection,
      retries: flags.retries,
      retryDelayMs: flags.retryDelay,
      conversation: flags.continue === true ? "continue" : conversation(flags.conversation),
      merge: flags.merge,
      paths: flags.path,
      claimWaitMs: flags.claimWait,
    },
    "flag",
  );
  return spec;
}

/** What the flags say of a slot. */
export function slotConfigOf(
  flags: TaskFlags & { readonly name?: string; readonly role?: string },
  base: string,
): SlotConfig {
  const { tools: _, disallowedTools: __, ...fields } = overrides(flags, base);
  return parseSlotConfig({ ...fields, name: flags.name, role: flags.role }, "flag");
}

/** What the flags say of the pool. */
export function poolSettingsOf(flags: HostFlags & TaskFlags, base: string, poolWide: boolean): Settings {
  const fields = {
    ...(poolWide ? { ...overrides(flags, base), timeoutMs: flags.timeout } : {}),
    slots: flags.slots,
    budgetUsd: flags.budgetUsd,
    budgetRenews: flags.budgetRenews,
    claude: flags.claude?.includes("/") === true ? resolve(base, flags.claude) : flags.claude,
    store: storeFlag(flags.store, base),
    allowBypassPermissions: flags.allowBypassPermissions,
    unattendedMode: flags.unattended,
    env: flags.env === undefined ? undefined : environment(flags.env),
  };
  return withOneCap(parseSettings(fields, "flag"));
}

export function storeFlag(store: string | undefined, base: string): string | undefined {
  return store === undefined || store === "" || store === ":memory:" ? store : resolve(base, store);
}

function overrides(flags: TaskFlags, base: string): Readonly<Record<string, unknown>> {
  return {
    model: flags.model,
    effort: flags.effort,
    permissionMode: flags.permissionMode,
    maxTurns: flags.maxTurns,
    systemPrompt: flags.systemPrompt,
    systemPromptMode: flags.systemPromptMode,
    allowedTools: flags.allowedTools,
    disallowedTools: flags.disallowedTools,
    tools: flags.tools,
    fallbackModel: flags.fallbackModel,
    settingSources: flags.settingSources,
    workerTools: flags.workerTools?.includes("all") === true ? true : flags.workerTools,
    mcpServers: flags.mcpConfig === undefined ? undefined : serversOf(flags.mcpConfig, base),
    isolation: isolation(flags),
    baseRef: flags.baseRef,
    checks: flags.check === false ? [] : flags.check,
    checkRetries: flags.checkRetries,
  };
}

function isolation({ isolation: kind, worktree }: TaskFlags): string | undefined {
  if (worktree !== true) return kind;
  if (kind === undefined || kind === "worktree") return "worktree";
  throw invalidOptions(`--worktree and --isolation ${kind} say two things: give one of them.`, "--isolation");
}

/** A rule may hold commas between its brackets: `Bash(git log:a,b),Edit` are two. */
function rules(text: string, before: readonly string[] = []): readonly string[] {
  const parts = text.match(/(?:[^,(]|\([^)]*\)?)+/g) ?? [];
  return [...before, ...parts.map((part) => part.trim()).filter((part) => part !== "")];
}

/** What stands before it may be `--no-check`, which is no list. */
function checks(command: string, before?: readonly string[] | boolean): readonly string[] {
  return [...(Array.isArray(before) ? (before as readonly string[]) : []), command];
}

function conversation(id: string | undefined): { readonly taskId: string } | undefined {
  return id === undefined ? undefined : { taskId: id };
}

function environment(pairs: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf("=");
      if (at > 0) return [pair.slice(0, at), pair.slice(at + 1)];
      throw invalidOptions(`--env: expected NAME=value, got ${JSON.stringify(pair)}.`, "--env");
    }),
  );
}

function serversOf(file: string, base: string): unknown {
  const content = readJsonFile("--mcp-config", file, base);
  return (content as { readonly mcpServers?: unknown } | null)?.mcpServers ?? content;
}

function jsonArgument(text: string, base: string): JsonObject {
  if (!text.trimStart().startsWith("{")) return readJsonFile("--json-schema", text, base) as JsonObject;
  return parseJson("--json-schema", text) as JsonObject;
}

function readJsonFile(flag: string, file: string, base: string): unknown {
  let text: string;
  try {
    text = readFileSync(resolve(base, file), "utf8");
  } catch (error) {
    throw invalidOptions(`${flag}: cannot read ${JSON.stringify(file)}: ${(error as Error).message}.`, flag);
  }
  return parseJson(flag, text);
}

function parseJson(flag: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalidOptions(`${flag}: not JSON: ${(error as Error).message}.`, flag);
  }
}
