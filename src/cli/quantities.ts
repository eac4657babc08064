/** Times, money and numbers as people write and read them. */
import { invalidOptions } from "../core/errors.ts";
import type { HeldBack } from "../core/governor.ts";

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** The longest time that a timer of Node can wait, somewhat under 25 days; a longer one would fire at once. */
const longestTimerMs = 2_147_483_647;

/**
 * A duration in milliseconds; `longestMs` where no timer has to wait for it.
 *
 * @throws {PoolError} `invalid_options`.
 * @example duration("--timeout")("1.5h") // 5_400_000
 */
export function duration(flag: string, longestMs = longestTimerMs): (text: string) => number {
  return (text) => {
    const [, figure, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text.trim()) ?? [];
    const ms = Number(figure) * (units[unit ?? ""] ?? NaN);
    if (ms > longestMs) throw invalidOptions(`${flag}: expected at most 24d, got ${JSON.stringify(text)}.`, flag);
    if (Number.isFinite(ms)) return Math.round(ms);
    throw invalidOptions(
      `${flag}: expected a duration such as 90s, 10m, 2h or 30d, got ${JSON.stringify(text)}.`,
      flag,
    );
  };
}

/** A number if it reads as one; else the text, which the schema then refuses by name. */
export function figure(text: string): number | string {
  const value = Number(text);
  return text.trim() === "" || Number.isNaN(value) ? text : value;
}

/**
 * A number that has no schema of its own.
 *
 * @throws {PoolError} `invalid_options`.
 */
export function wholeNumber(name: string, min: number): (text: string) => number {
  return (text) => {
    const value = figure(text);
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= min) return value;
    throw invalidOptions(
      `${name}: expected a whole number of at least ${String(min)}, got ${JSON.stringify(text)}.`,
      name,
    );
  };
}

/** A point in time, in milliseconds since the epoch: so long ago, or a date. @throws {PoolError} `invalid_options`. */
export function pointInTime(flag: string): (text: string) => number {
  return (text) => {
    const [, figure, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text.trim()) ?? [];
    const ago = Number(figure) * (units[unit ?? ""] ?? NaN);
    const at = Number.isFinite(ago) ? Date.now() - Math.round(ago) : Date.parse(text);
    if (Number.isFinite(at) && at >= 0) return at;
    throw invalidOptions(`${flag}: expected 2d (ago) or a date such as 2026-01-31, got ${JSON.stringify(text)}.`, flag);
  };
}

/** What holds the queue back, in a line. */
export function heldBackText({ reason, untilMs, ceiling }: HeldBack): string {
  const reasons = {
    limit: "the account's usage limit",
    overload: "an overloaded API",
    reserve: "the share of the usage window that is kept for you",
    memory: "want of memory for another process",
  } as const;
  const few = ceiling === undefined ? "" : `, ${String(ceiling)} at once`;
  return `${reasons[reason]}${few}${untilMs === undefined ? "" : `, until ${moment(untilMs)}`}`;
}

/** @example counted(1, "slot") // "1 slot" */
export function counted(figure: number, thing: string): string {
  return `${String(figure)} ${thing}${figure === 1 ? "" : "s"}`;
}

/** Money for a table: four decimals, which show one call of the smallest model. */
export function usd(microdollars: number): string {
  return `$${(microdollars / 1_000_000).toFixed(4)}`;
}

/** @example elapsed(1_234) // "1.2s" */
export function elapsed(ms: number): string {
  if (ms < 1_000) return `${String(Math.round(ms))}ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)}s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${String(minutes)}m${pad(Math.floor(ms / 1_000) % 60)}s`;
  return `${String(Math.floor(minutes / 60))}h${pad(minutes % 60)}m`;
}

/** A point in time, as local time with its date. */
export function moment(ms: number): string {
  const at = new Date(ms);
  return `${String(at.getFullYear())}-${pad(at.getMonth() + 1)}-${pad(at.getDate())} ${clockTime(ms)}`;
}

export function clockTime(ms: number): string {
  const at = new Date(ms);
  return `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}
