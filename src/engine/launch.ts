/** From a task's settings to what is fixed for the life of a process, and what is told with each turn. */
import type { PoolConfig, ResolvedSettings } from "../core/config.ts";
import { defined } from "../core/config.ts";
import type { LaunchSpec, TurnSpec } from "../core/ports.ts";

/** What a process must have been started with to serve these settings in this directory. */
export function launchSpec(pool: PoolConfig, settings: ResolvedSettings, cwd: string): LaunchSpec {
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
  return JSON.stringify(launch);
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
