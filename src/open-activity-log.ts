/** Opening the activity log: where it lies, and as whom it is written to. */
import { realpathSync } from "node:fs";
import { userInfo } from "node:os";
import { resolve } from "node:path";
import { FileLog, type ActivityLog } from "./activity-log.ts";
import { sidOf, type Author } from "./activity/entry.ts";
import { givenLabel } from "./activity/identity.ts";
import { groundOf, type Environment, type Ground } from "./activity/place.ts";
import { readSession } from "./activity/sessions.ts";
import { readLogSettings, type LogSettings } from "./activity/settings.ts";
import { PoolError } from "./core/errors.ts";
import { parseActivityLogOptions, type ActivityLogOptions } from "./schema/activity.ts";

/**
 * Opens the activity log of a directory's project, without a pool. Nothing is made on the disk before something is written.
 *
 * @throws {PoolError} `invalid_options`; `cwd_not_found`.
 * @example
 * const log = openActivityLog({ instance: "deploy" });
 * const { granted, conflict } = await log.claim({ affects: ["deploy:staging"], summary: "Release 2.4" });
 */
export function openActivityLog(options: ActivityLogOptions = {}): ActivityLog {
  const { cwd = ".", env = process.env, ...rest } = parseActivityLogOptions(options);
  const ground = groundFor(resolve(cwd), env);
  const { settings } = readLogSettings(ground.folder);
  return new FileLog(ground, authorFor(ground, env, rest, settings), settings);
}

/** @throws {PoolError} `cwd_not_found`. */
function groundFor(directory: string, env: Environment): Ground {
  try {
    return groundOf(realpathSync(directory), env);
  } catch (error) {
    const text = `No directory ${JSON.stringify(directory)}. Create it, or name another with --cwd.`;
    throw new PoolError("cwd_not_found", text, { cwd: directory }, error);
  }
}

/** Inside Claude Code the conversation is the terminal; elsewhere one user's shells are one, unless a label tells them apart. */
function authorFor(
  ground: Ground,
  env: Environment,
  options: Omit<ActivityLogOptions, "cwd" | "env">,
  settings: LogSettings,
): Author {
  const claude = env.CLAUDE_CODE_SESSION_ID ?? "";
  const inside = options.sessionId ?? (claude === "" ? undefined : claude);
  const session = inside === undefined ? undefined : readSession(ground.folder, sidOf(inside));
  const naming = { env, sessionId: inside ?? "", ...(session === undefined ? {} : { kept: session.label }) };
  const label = options.instance ?? givenLabel(naming) ?? (inside === undefined ? userName() : undefined);
  return {
    ...(label === undefined ? {} : { instance: label }),
    sessionId: inside ?? `shell:${userName()}:${label ?? ""}`,
    project: ground.project,
    ...(ground.branch === undefined ? {} : { branch: ground.branch }),
    ...(ground.worktree === undefined ? {} : { worktree: ground.worktree }),
    origin: options.origin ?? "cli",
    profile: options.profile ?? settings.profile,
    ...(env.HOME === undefined ? {} : { home: env.HOME }),
  };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return "user"; // a container's user without an entry in passwd
  }
}
