/** From a task's settings to what is fixed for the life of a process, and what is told with each turn. */
import { asksPermission, defined, resolveSettings, type PoolConfig, type ResolvedSettings } from "../core/config.ts";
import { invalidOptions } from "../core/errors.ts";
import type { LaunchSpec, TurnSpec } from "../core/runner-port.ts";
import type { SlotConfig, TaskRecord } from "../core/task.ts";
import { depthVariable, workerServerName } from "../core/worker.ts";
import type { EngineParts } from "./parts.ts";

/** The launch specs of tasks that set nothing themselves, by their slot's settings and their directory: most share one. */
const plain = new WeakMap<SlotConfig, Map<string, LaunchSpec>>();
const keys = new WeakMap<LaunchSpec, string>();

/** Where a process stands, and what the slot adds to its environment. */
export interface LaunchPlace {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** What a process must have been started with to do this task in this slot. */
export function launchOf(
  parts: Pick<EngineParts, "config" | "workerTools">,
  slot: SlotConfig,
  task: Pick<TaskRecord, "config" | "kind" | "depth">,
  place: LaunchPlace,
): LaunchSpec {
  const { cwd } = place;
  const isPlain = task.config === undefined && task.kind === "task";
  const known = isPlain ? plain.get(slot)?.get(cwd) : undefined;
  if (known !== undefined) return known;
  const launch = launchSpec(parts, resolveSettings(parts.config, slot, task), task.depth ?? 0, place);
  if (isPlain) plain.set(slot, (plain.get(slot) ?? new Map<string, LaunchSpec>()).set(cwd, launch));
  return launch;
}

function launchSpec(
  { config: pool, workerTools }: Pick<EngineParts, "config" | "workerTools">,
  settings: ResolvedSettings,
  depth: number,
  { cwd, env }: LaunchPlace,
): LaunchSpec {
  const tools = workerTools.list(settings.workerTools, settings.mayDispatch);
  if (tools.length > 0 && workerServerName in settings.mcpServers) {
    const text = `mcp_servers: the name ${JSON.stringify(workerServerName)} is that of the pool's own tools for workers. Rename the server.`;
    throw invalidOptions(text, "mcp_servers");
  }
  return defined<LaunchSpec>({
    cwd,
    env: { ...env, ...pool.env, ...(settings.mayDispatch ? { [depthVariable]: String(depth) } : {}) },
    systemPrompt: settings.systemPrompt,
    replaceSystemPrompt: settings.systemPrompt !== undefined && settings.systemPromptMode === "replace",
    jsonSchema: settings.jsonSchema,
    settingSources: settings.settingSources,
    mcpServers: settings.mcpServers,
    strictMcpConfig: settings.strictMcpConfig,
    tools: settings.tools,
    fallbackModel: settings.fallbackModel,
    asksPermission: asksPermission(pool),
    workerTools: tools.length === 0 ? undefined : tools,
    allowBypassPermissions: pool.allowBypassPermissions,
  });
}

/** Where a slot's process stands for a task; the log knows the task by its directory in the user's checkout. */
export function placeOf({ activity, cwd }: EngineParts, slotId: string, standsIn: string, taskCwd = cwd): LaunchPlace {
  return { cwd: standsIn, env: activity?.environment(slotId, taskCwd) };
}

/** Two launch specs with one key can share a process. (Maps that differ in the order of their keys alone get two: it costs a start.) */
export function launchKey(launch: LaunchSpec): string {
  const known = keys.get(launch) ?? JSON.stringify(launch);
  keys.set(launch, known);
  return known;
}

/** The pool's own tools are allowed in every mode. */
function withOurs({ allowedTools }: ResolvedSettings): readonly string[] {
  return [...allowedTools, `mcp__${workerServerName}`];
}

/** What is told with the turn itself. */
export function turnSpec(
  pool: PoolConfig,
  settings: ResolvedSettings,
  turn: { readonly runId: string; readonly prompt: string; readonly context: string | undefined },
): TurnSpec {
  return defined<TurnSpec>({
    runId: turn.runId,
    prompt: turn.prompt,
    context: turn.context,
    model: settings.model,
    effort: settings.effort,
    permissionMode: settings.permissionMode,
    allowedTools: settings.workerTools.length > 0 || settings.mayDispatch ? withOurs(settings) : settings.allowedTools,
    disallowedTools: settings.disallowedTools,
    maxTurns: settings.maxTurns,
    maxCostMicrodollars: settings.maxCostMicrodollars,
    silenceTimeoutMs: pool.silenceTimeoutMs,
  });
}
