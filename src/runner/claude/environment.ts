/** The environment of a Claude process. */
import { markerVariable } from "../process-table.ts";

/**
 * Set by Claude Code for what it starts: inherited, they would make a slot take itself for a part of the session that
 * the pool was started from (nested-session refusal, its log folder, its messages).
 */
const nesting = [
  /^CLAUDECODE$/,
  /^CLAUDE_CODE_(ENTRYPOINT|SESSION_.*|SSE_PORT|EXECPATH|CHILD_.*|MESSAGING_.*|PARENT_.*|AGENT_.*|TEAM_.*|REMOTE.*|RESUME_.*)$/,
  /^CLAUDE_(PID|ENV_FILE|PROJECT_DIR|PLUGIN_.*|EFFORT|AGENT_SDK_.*|SESSION_.*|JOB_.*|BG_.*)$/,
  /^AI_AGENT$/,
];

/** The key to the pool's own server: whoever holds it may dispatch, drain and scale. */
const tokenVariable = "CLAUDE_POOL_TOKEN";

/**
 * What every slot runs with. Background tasks would go on into the next task's conversation; retries are bounded, because
 * the CLI's own ten take three minutes (five take about twenty seconds) in which the slot does nothing.
 */
const ours = {
  CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: "1",
  CLAUDE_CODE_MAX_RETRIES: "5",
};

/** The parent's environment without what nests, ours, and the launch's own above all. */
export function claudeEnvironment(
  parent: Readonly<Record<string, string | undefined>>,
  launch: Readonly<Record<string, string>>,
  marker: string,
): Record<string, string | undefined> {
  const inherited = Object.entries(parent).filter(
    ([name]) => name !== tokenVariable && !nesting.some((pattern) => pattern.test(name)),
  );
  return { ...Object.fromEntries(inherited), ...ours, ...launch, [markerVariable]: marker };
}
