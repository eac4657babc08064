/** What the commands of `log` have in common: the log they open, and times as people write them. */
import type { ActivityLog } from "../activity-log.ts";
import { invalidOptions } from "../core/errors.ts";
import type { Call } from "./call.ts";
import type { CommonFlags } from "./flags.ts";

export interface LogFlags extends CommonFlags {
  readonly project?: string;
  readonly allProjects?: boolean;
  /** As which terminal. */
  readonly as?: string;
}

/** The log of the directory that the call is about. Loaded here: every other command is put together without it. */
export async function openLog(call: Call, flags: LogFlags): Promise<ActivityLog> {
  const { openActivityLog } = await import("../open-activity-log.ts");
  return openActivityLog({
    cwd: call.directory(flags),
    env: call.io.env,
    ...(flags.as === undefined ? {} : { instance: flags.as }),
  });
}

/** Says what the user should know of where the log stands. */
export function warnOf(call: Call, log: ActivityLog): void {
  for (const warning of log.warnings) call.out.say(`${call.out.talkColour.yellow("warning:")} ${warning}`);
}

/** For how long an entry may be shown, as `span` reads it: what the log itself takes. @throws {PoolError} `invalid_options`. */
export function ttl(text: string): number {
  const ms = spanOf(text);
  if (ms !== undefined && ms >= 60_000 && ms <= 604_800_000) return ms;
  throw invalidOptions(
    `--ttl: expected a time from 1m to 1w, such as 30m, 1h30m or 2d, got ${JSON.stringify(text)}.`,
    "--ttl",
  );
}

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };

/**
 * A span of time in milliseconds: a figure with s, m, h, d or w, or several of them.
 *
 * @throws {PoolError} `invalid_options`.
 * @example span("--since")("1h30m") // 5_400_000
 */
export function span(flag: string): (text: string) => number {
  return (text) => {
    const ms = spanOf(text);
    if (ms !== undefined) return ms;
    throw invalidOptions(`${flag}: expected a time such as 30m, 1h30m, 2d or 1w, got ${JSON.stringify(text)}.`, flag);
  };
}

function spanOf(text: string): number | undefined {
  const whole = text.trim().toLowerCase();
  const parts = [...whole.matchAll(/(\d+(?:\.\d+)?)([smhdw])/g)];
  const seconds = parts.reduce((sum, [, amount, unit = ""]) => sum + Number(amount) * (units[unit] ?? 0), 0);
  const isSpan = parts.length > 0 && parts.map(([part]) => part).join("") === whole && Number.isFinite(seconds);
  return isSpan ? Math.round(seconds * 1000) : undefined;
}
