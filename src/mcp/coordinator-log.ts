/**
 * The activity log as the coordinator writes it: as the terminal that the server's environment names, so that what a person's
 * Claude session, its hooks and its tools say is one terminal's word.
 */
import type { ActivityLog } from "../activity-log.ts";
import { openActivityLog } from "../open-activity-log.ts";
import type { Pool } from "../pool.ts";

/** Without a name in the environment. */
const unnamed = "coordinator";

/** Opened for each call: the branch and the log's settings may have changed since the last. */
export function coordinatorLog(pool: Pool): ActivityLog {
  const env = { ...process.env, ...pool.config().env };
  const base = { cwd: pool.cwd, env, origin: "mcp" } as const;
  const named = [env.POOL_INSTANCE, env.CLAUDE_INSTANCE, env.CLAUDE_CODE_SESSION_ID].some(
    (name) => (name ?? "") !== "",
  );
  // The client is the terminal, and it stays while its servers come and go.
  return openActivityLog(named ? base : { ...base, instance: unnamed, sessionId: `mcp:${String(process.ppid)}` });
}
