/** From a task's settings to what is fixed for the life of a process, and what is told with each turn. */
import { defined, resolveSettings, type PoolConfig, type ResolvedSettings } from "../core/config.ts";
import type { LaunchSpec, TurnSpec } from "../core/ports.ts";
import type { SlotConfig, TaskRecord } from "../core/task.ts";

/** The launch specs of tasks that set nothing themselves, by their slot's settings and their directory: most share one. */
const plain = new WeakMap<SlotConfig, Map<string, LaunchSpec>>();
const keys = new WeakMap<LaunchSpec, string>();

/** What a process must have been started with to do this task in this slot. */
export function launchOf(
  pool: PoolConfig,
  slot: SlotConfig,
  task: Pick<TaskRecord, "config" | "kind">,
  cwd: string,
): LaunchSpec {
  const isPlain = task.config === undefined && task.kind === "task";
  const known = isPlain ? plain.get(slot)?.get(cwd) : undefined;
  if (known !== undefined) return known;
  const launch = launchSpec(pool, resolveSettings(pool, slot, task), cwd);
  if (isPlain) plain.set(slot, (plain.get(slot) ?? new Map<string, LaunchSpec>()).set(cwd, launch));
  return launch;
}

function launchSpec(pool: PoolConfig, settings: ResolvedSettings, cwd: string): LaunchSpec {
  return defined<LaunchSpec>({
    cwd,
    env: pool.env,
    systemPrompt: settings.systemPrompt,
    replaceSystemPrompt: settings.systemPrompt !== undefined && settings.systemPromptMode === "replace",
    jsonSchema: settings.jsonSchema,
    settingSources: settings.settingSources,
    mcpServers: settings.mcpServers,
    strictMcpConfig: settings.strictMcpConfig,
    tools: settings.tools,
    fallbackModel: settings.fallbackModel,
    allowBypassPermissions: pool.allowBypassPermissions,
  });
}

/** Two launch specs with one key can share a process. (Maps that differ in the order of their keys alone get two: it costs a start.) */
export function launchKey(launch: LaunchSpec): string {
  const known = keys.get(launch) ?? JSON.stringify(launch);
  keys.set(launch, known);
  return known;
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
    allowedTools: settings.allowedTools,
    disallowedTools: settings.disallowedTools,
    maxTurns: settings.maxTurns,
    maxCostMicrodollars: settings.maxCostMicrodollars,
    silenceTimeoutMs: pool.silenceTimeoutMs,
  });
}
