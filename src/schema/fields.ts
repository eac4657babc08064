/**
 * Every field that a task, a slot and a pool can be told: the one schema of the library, the program, the config file and
 * the wire. `Fields<T>` holds it to the core's types: a field too few or too many does not compile.
 */
import { z } from "zod";
import type { OpenPoolOptions } from "../core/api.ts";
import { defaultConfig, type PoolConfig, type ScalingConfig } from "../core/config.ts";
import {
  efforts,
  hostKinds,
  permissionModes,
  settingSources,
  slotModes,
  workerFamilies,
  type SlotConfig,
  type TaskOverrides,
  type TaskSpec,
} from "../core/task.ts";
import {
  dollarsFrom,
  environment,
  flag,
  jsonObject,
  listOf,
  mcpServers,
  milliseconds,
  modelName,
  oneOf,
  promptText,
  seconds,
  share,
  text,
  whole,
  wholeAtLeast,
} from "./values.ts";
import { activityFields, claimFields } from "./claim-fields.ts";
import { checkFields, isolationFields, mergeField, placeFields } from "./workspace-fields.ts";

export type Fields<T> = Readonly<Record<keyof T, z.ZodType>>;

const effort = z
  .enum([...efforts, "min"], { error: `one of ${efforts.join(", ")} (min means low)` })
  .transform((value) => (value === "min" ? "low" : value))
  .optional()
  .describe("How much thought the model spends; `min` means `low`.");
const toolNames = listOf(text("the name or rule of a tool"), "a list of tools");
const promptMode = oneOf(["append", "replace"]).optional();
const perSlot = {
  model: modelName.optional().describe("Alias or full id of the model."),
  permissionMode: oneOf(permissionModes).optional().describe("What the CLI may do without asking; default `plan`."),
  maxTurns: wholeAtLeast(1).optional().describe("The most turns of one run."),
  systemPrompt: text().optional().describe("Appended to Claude Code's own system prompt, or instead of it."),
  systemPromptMode: promptMode.describe("Whether `system_prompt` is appended or replaces Claude Code's own."),
  effort,
  fallbackModel: modelName.optional().describe("The model to go on with when the first is overloaded."),
  allowedTools: toolNames.optional().describe("Tools and rules allowed without asking; added to those of lower layers."),
  mcpServers: mcpServers.optional().describe("MCP servers by name, as in .mcp.json."),
  settingSources: listOf(oneOf(settingSources), "a list of user, project, local")
    .optional()
    .describe("Whose CLAUDE.md, settings, hooks and skills apply; default all three."),
  workerTools: z
    .union([flag(), listOf(oneOf(workerFamilies), `a list of ${workerFamilies.join(", ")}`)], {
      error: `true, false, or a list of ${workerFamilies.join(", ")}`,
    })
    .optional()
    .describe("Tools of the pool for the worker itself: messages, ask, progress, context; default none."),
};
const allowedToolsMode = oneOf(["add", "replace"])
  .optional()
  .describe("Whether `allowed_tools` adds to the lower layers' or replaces them.");

/** What a chain's step may set: it works where its chain does. */
export const stepOverrideFields = {
  ...perSlot,
  ...checkFields,
  allowedToolsMode,
  disallowedTools: toolNames.optional().describe("Tools that are refused."),
  tools: toolNames.optional().describe("The built-in tools that exist at all."),
  jsonSchema: jsonObject("an object, a JSON schema").optional().describe("The answer must fit this JSON schema."),
  maxBudgetUsd: dollarsFrom("above_zero").optional().describe("The task's own cap in dollars."),
  mayDispatch: flag().optional().describe("The worker may submit tasks of its own, down to `max_depth`."),
} satisfies Fields<Omit<TaskOverrides, "isolation" | "baseRef">>;

export const overrideFields = { ...stepOverrideFields, ...isolationFields } satisfies Fields<TaskOverrides>;

const taskConversation = z.union(
  [oneOf(["fresh", "continue"]), z.strictObject({ taskId: text("the id of a task") }, { error: "an object with the id of a task" })],
  { error: "fresh, continue, or an object with the id of a task" },
);

const taskFields = {
  ...overrideFields,
  prompt: promptText.describe("What is to be done."),
  priority: whole().optional().describe("Higher first; default 0."),
  tags: listOf(text("text that is not empty", 200), "a list of tags")
    .max(64, { error: "at most 64 tags" })
    .optional()
    .describe("Words to find the task by."),
  cwd: text("a directory").optional().describe("The directory to work in; default the pool's."),
  timeoutMs: milliseconds(1).optional().describe("The longest the run may take, in milliseconds."),
  queueTimeoutMs: milliseconds(1).optional().describe("The longest the task may wait for a slot, in milliseconds."),
  key: text("text that is not empty", 512).optional().describe("Idempotency key: the same key and spec give the first id."),
  review: flag().optional().describe("Stop for approval before the task counts as completed."),
  maxRejections: wholeAtLeast(1).optional().describe("The rejection that fails the task is this one; default 3."),
  afterRejection: oneOf(["fresh", "continue"])
    .optional()
    .describe("A rejected task starts afresh with its earlier answer, or goes on in its conversation; default `fresh`."),
  retries: wholeAtLeast(0).max(100, { error: "at most 100" }).optional().describe("How often it is tried again after a failure that can heal."),
  retryDelayMs: milliseconds(0).optional().describe("Before the first retry, in milliseconds; doubled before each one after it."),
  conversation: taskConversation.optional().describe("A fresh conversation, the slot's last, or another task's."),
  merge: mergeField,
  ...claimFields,
} satisfies Fields<TaskSpec>;

const slotFields = {
  ...perSlot,
  ...checkFields,
  ...isolationFields,
  allowedToolsMode,
  name: text("a name", 200).optional().describe("Who the slot is; told to the model."),
  role: text("a role", 200).optional().describe("What the slot is for; told to the model."),
  description: text("text that is not empty", 4_000).optional().describe("More about the slot; told to the model."),
  slotAssignmentTimeoutSecs: seconds().optional().describe("Kept for the original's sake; the pool's setting counts."),
  conversation: oneOf(["fresh", "continue"]).optional().describe("Whether each task starts a new conversation."),
  pull: flag().optional().describe("The slot takes no work by itself, only what is claimed for it."),
} satisfies Fields<SlotConfig>;

const scaling = z
  .strictObject(
    {
      minSlots: wholeAtLeast(0).default(defaultConfig.scaling.minSlots).describe("The fewest slots."),
      maxSlots: wholeAtLeast(1).default(defaultConfig.scaling.maxSlots).describe("The most slots."),
      auto: flag().optional().describe("Each host changes its number of slots by itself, by what waits; default false."),
      upDelayMs: milliseconds(0).optional().describe("Tasks that have waited so long get another slot; default 1000."),
      downDelayMs: milliseconds(0).optional().describe("A slot that is idle so long is taken away; default 60000."),
    } satisfies Fields<ScalingConfig>,
    { error: "an object with the fewest and the most slots" },
  )
  .refine((bounds) => bounds.minSlots <= bounds.maxSlots, { error: "a minimum that is not above the maximum" });

const poolConfigFields = {
  ...perSlot,
  ...checkFields,
  ...isolationFields,
  ...activityFields,
  ...placeFields,
  disallowedTools: toolNames.optional().describe("Tools that are refused in every task."),
  tools: toolNames.optional().describe("The built-in tools that exist at all."),
  budgetMicrodollars: wholeAtLeast(0).optional().describe("The pool's cap in millionths of a dollar."),
  budgetRenews: oneOf(["none", "day", "week"]).optional().describe("When spending starts to count anew by itself."),
  slotMode: oneOf(slotModes).optional().describe("`persistent` keeps a process open between tasks."),
  maxRestarts: wholeAtLeast(0).optional().describe("How often in a row an errored slot is tried again; then it stays errored."),
  worktreeIsolation: flag().optional().describe("The original's switch: true is `isolation: worktree`."),
  slotAssignmentTimeoutSecs: seconds().optional().describe("Tasks that wait longer for a slot fail; default: they wait."),
  scaling: scaling.optional().describe("Bounds of the number of slots."),
  unattendedMode: flag().optional().describe("With no permission mode chosen: `dontAsk` instead of `plan`."),
  detectPermissionPrompts: flag().optional().describe("A run whose last tool call was denied fails."),
  supervisorEnabled: flag().optional().describe("Errored slots are tried again by themselves; default true."),
  supervisorIntervalSecs: seconds().optional().describe("The longest pause before an errored slot is tried again, in seconds."),
  strictMcpConfig: flag().optional().describe("Only the MCP servers named here, never the project's own."),
  claude: text("the path of a program").optional().describe("The Claude program; default the Agent SDK's own."),
  env: environment.optional().describe("Added to the environment of every Claude process."),
  timeoutMs: milliseconds(1).optional().describe("The longest a run may take, in milliseconds."),
  silenceTimeoutMs: milliseconds(1).optional().describe("A run that says nothing for so long is timed out."),
  killGraceMs: milliseconds(0).optional().describe("Between asking a process to end and killing it."),
  processNamespace: oneOf(["auto", "require", "off"]).optional().describe("A process namespace for each CLI."),
  maxTasksPerProcess: wholeAtLeast(1).optional().describe("A process is replaced after so many tasks."),
  maxProcessMemoryBytes: wholeAtLeast(1).optional().describe("A process is replaced past so much memory."),
  maxLostRuns: wholeAtLeast(1).optional().describe("A task whose process died so often fails."),
  limitReserve: share().optional().describe("Share of a subscription's usage window kept for your own terminal, 0 to 1."),
  rampStepMs: milliseconds(1).optional().describe("After a limit or an overload, one more task runs at once after so long."),
  maxOpening: wholeAtLeast(1).optional().describe("How many processes a host opens at the same time."),
  minFreeMemoryBytes: wholeAtLeast(0).optional().describe("With less memory free, a host opens no process; Linux only."),
  leaseMs: milliseconds(1).optional().describe("How long a host's right to its tasks lasts without renewal."),
  conversation: oneOf(["fresh", "continue"]).optional().describe("Whether each task starts a new conversation."),
  allowBypassPermissions: flag().optional().describe("Whether mode `bypassPermissions` is possible at all."),
  permissionRequests: oneOf(["ask", "deny"])
    .optional()
    .describe("In permission mode `default`: the coordinator is asked, or what is not allowed is denied at once."),
  permissionTimeoutSecs: seconds().optional().describe("A request that nobody answers for so long is denied; default 300."),
  maxDepth: wholeAtLeast(0).max(10, { error: "at most 10" }).optional().describe("How deep tasks that workers submit may be nested; default 1."),
  skillCommands: flag().optional().describe("Whether commands inside trusted skills are run when the skill is."),
} satisfies Fields<PoolConfig>;

export const slotConfigSchema = z.strictObject(slotFields, { error: "an object, a slot's configuration" });
export const taskSpecSchema = z.strictObject(taskFields, { error: "a prompt or an object with a `prompt`" });

const fileFields = {
  ...poolConfigFields,
  slots: z
    .union([wholeAtLeast(0, "a number of slots of at least 0"), listOf(slotConfigSchema, "a list of slot configurations")], {
      error: "a number of slots of at least 0, or a list of slot configurations",
    })
    .optional()
    .describe("How many slots a host brings, or a configuration for each."),
  store: text("the path of a file").optional().describe("The store's file; default the project's own."),
  budgetUsd: dollarsFrom("zero").optional().describe("The pool's cap in dollars."),
};

/** What claude-pool.json may hold, in the library's names. */
export const configFileSchema = z.strictObject(fileFields, { error: "an object of settings" });

/** What `openPool` takes. */
export const poolOptionsSchema = z.strictObject(
  {
    ...fileFields,
    cwd: text("a directory").optional(),
    homes: z
      .strictObject(
        { pool: text("a directory").optional(), claude: text("a directory").optional() },
        { error: "an object with the user's folders" },
      )
      .optional(),
    kind: oneOf(hostKinds).optional(),
    runner: port("runner"),
    clock: port("clock"),
    processes: port("process table"),
  } satisfies Fields<OpenPoolOptions>,
  { error: "an object of options" },
);

/** A part that a test puts in place of the real one: used as it is. */
function port(what: string) {
  return z.custom<object>((value) => typeof value === "object" && value !== null, { error: `a ${what}` }).optional();
}
