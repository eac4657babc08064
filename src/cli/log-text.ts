/** Entries, claims and terminals of the activity log, in words; every text of theirs is made harmless for the terminal. */
import type { Claim } from "../activity/claims.ts";
import type { Entry } from "../activity/entry.ts";
import { plainLine } from "../activity/harmless.ts";
import { wireOf } from "../activity/line.ts";
import { ageText, blocksLabel } from "../activity/render.ts";
import type { Presence } from "../activity/who.ts";
import { clockTime, moment } from "./quantities.ts";
import type { Colours } from "./terminal/colour.ts";
import { table } from "./terminal/table.ts";

/** Totals, as the original printed them above its entries. */
export function countLines(entries: readonly Entry[]): readonly string[] {
  const count = (of: (entry: Entry) => string): string => {
    const counts = new Map<string, number>();
    for (const entry of entries) counts.set(of(entry), (counts.get(of(entry)) ?? 0) + 1);
    return [...counts]
      .sort(([a, x], [b, y]) => y - x || a.localeCompare(b))
      .map(([name, times]) => `${plainLine(name, 40)} ${String(times)}`)
      .join(", ");
  };
  const total = `${String(entries.length)} ${entries.length === 1 ? "entry" : "entries"}`;
  return [
    total,
    `By instance: ${count((entry) => entry.sourceInstance)}`,
    `By action: ${count((entry) => entry.action)}`,
  ];
}

/** One entry: a head, and indented what else it says. */
export function entryText(entry: Entry, colour: Colours, isVerbose: boolean): string {
  const { topic, summary, affects, blocks, action } = entry;
  const head = `[${when(entry.timestamp)}] [${plainLine(entry.sourceInstance, 32)}] ${colour.bold(action.toUpperCase())}: ${plainLine(topic, 120)}`;
  const below = [
    summary === "" ? [] : [plainLine(summary, isVerbose ? 600 : 200)],
    affects === "" ? [] : [`Affects: ${plainLine(affects, isVerbose ? 4_000 : 200)}`],
    blocks === "" ? [] : [`${blocksLabel(action)}: ${plainLine(blocks, 200)}`],
    isVerbose ? verbose(entry) : [],
  ].flat();
  return [head, ...below.map((line) => `    ${line}`)].join("\n");
}

/** A claim on a line. Unix seconds. */
export function claimText({ entry, since, expiresAt, heldBy }: Claim, now: number): string {
  const what =
    entry.affects === "" ? `topic ${JSON.stringify(plainLine(entry.topic, 80))}` : plainLine(entry.affects, 200);
  const why = entry.affects === "" || entry.topic === entry.affects ? "" : ` (${plainLine(entry.topic, 80)})`;
  const waits = heldBy === undefined ? "" : `; waits for ${plainLine(heldBy.sourceInstance, 32)}`;
  return `${plainLine(entry.sourceInstance, 32)} has claimed ${what}${why} for ${spanText(now - since)}, ${spanText(expiresAt - now)} left${waits}`;
}

/** A claim for JSON: its entry, and until when. */
export function claimWire({ entry, since, expiresAt, heldBy }: Claim): Readonly<Record<string, unknown>> {
  return { ...wireOf(entry), since, expires_at: expiresAt, ...(heldBy === undefined ? {} : { held_by: heldBy.id }) };
}

/** Who takes part, as a table. Unix seconds. */
export function presenceLines(
  presences: readonly Presence[],
  now: number,
  width: number | undefined,
): readonly string[] {
  const rows = presences.map(({ label, isOwn, state, seenAt, branch, claims, last }) => [
    `${plainLine(label, 32)}${isOwn ? " (me)" : ""}`,
    state,
    ageText(now - seenAt),
    plainLine(branch ?? "-", 30),
    plainLine(claims.map(({ entry }) => entry.affects || entry.topic).join("; "), 60) || "-",
    last === undefined ? "-" : `${last.action}: ${plainLine(last.topic, 80)}`,
  ]);
  return table([["instance", "state", "seen", "branch", "claims", "last"], ...rows], { width });
}

/** A terminal for JSON. */
export function presenceWire({ isOwn, seenAt, claims, last, ...same }: Presence): Readonly<Record<string, unknown>> {
  return {
    ...same,
    own: isOwn,
    seen_at: seenAt,
    claims: claims.map(claimWire),
    ...(last === undefined ? {} : { last: wireOf(last) }),
  };
}

function verbose(entry: Entry): readonly string[] {
  const scores = Object.entries(entry.relevance).map(([label, score]) => `${plainLine(label, 32)} ${score.toFixed(2)}`);
  const more = [
    entry.branch === undefined ? [] : [`Branch: ${plainLine(entry.branch, 120)}`],
    entry.ref === undefined ? [] : [`Ends: ${plainLine(entry.ref, 36)}`],
    entry.flags.length === 0 ? [] : [`Flags: ${plainLine(entry.flags.join(", "), 200)}`],
    scores.length === 0 ? [] : [`Relevance: ${scores.join(", ")}`],
  ].flat();
  return [...more, `Shown for: ${spanText(entry.ttl)}`, `ID: ${plainLine(entry.id, 36)}`];
}

/** The time of day; before today with its date. */
function when(seconds: number): string {
  const [ms, today] = [seconds * 1000, new Date()];
  return new Date(ms).toDateString() === today.toDateString() ? clockTime(ms) : moment(ms);
}

function spanText(seconds: number): string {
  return ageText(seconds).replace(" ago", "");
}
