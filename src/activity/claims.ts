/**
 * Who holds what, worked out from the entries alone, so that every reader comes to the same answer.
 *
 * K1. Of the claims that overlap, the first in the order of the file holds; times decide only how long.
 * K2. A claim ends when its time is over, and when its own terminal completes, releases, resolves or reports blocked what it names: by `ref`, or
 *     by the same topic. Another's word ends it only if the entry is marked `abandoned` or `forced`, which no block can be.
 * K3. A line with the claim's own id renews it (read.ts R4).
 */
import { folded, isLive, type Entry } from "./entry.ts";
import { overlap } from "./glob.ts";

/** What somebody holds, or asks for. */
export interface Holding {
  readonly topic: string;
  readonly paths: readonly string[];
  readonly resources: readonly string[];
}

/** A claim that stands. */
export interface Claim {
  readonly entry: Entry;
  /** Unix seconds; `entry` has the time of the last renewal. */
  readonly since: number;
  readonly expiresAt: number;
  /** The claim that was there first and overlaps: this one does not hold while that one stands. */
  readonly heldBy?: Entry;
}

const endings: ReadonlySet<string> = new Set(["completed", "released", "resolved", "blocked"]);

/** Each claim is compared with those before it, by a hook before an edit: what a flood puts behind so many of a project holds nothing. */
const mostStanding = 300;

/** The claims that stand at a time (Unix seconds), in the order of the file, which must hold the expired entries too. */
export function claimsIn(entries: readonly Entry[], now: number): readonly Claim[] {
  const open = new Map<string, Entry>();
  const byTopic = new Map<string, readonly string[]>();
  for (const entry of entries) {
    if (entry.action === "claimed") {
      open.set(entry.id, entry);
      const topic = folded(entry.topic);
      byTopic.set(topic, [...(byTopic.get(topic) ?? []), entry.id]);
    } else if (endings.has(entry.action) && open.size > 0) {
      // What it could end (K2), without a look at every claim.
      const named = entry.ref === undefined ? (byTopic.get(folded(entry.topic)) ?? []) : [entry.ref];
      for (const id of named) {
        const claim = open.get(id);
        if (claim !== undefined && ends(entry, claim)) open.delete(id);
      }
    }
  }
  const standing: Claim[] = [];
  const counts = new Map<string | undefined, number>();
  for (const entry of open.values()) {
    if (!isLive(entry, now)) continue;
    const count = counts.get(entry.project) ?? 0;
    if (count >= mostStanding) continue;
    counts.set(entry.project, count + 1);
    const first = standing.find(
      (claim) => claim.heldBy === undefined && !isSameOwner(claim.entry, entry) && collide(claim.entry, entry),
    );
    standing.push({
      entry,
      since: Math.min(entry.timestamp, timeInId(entry.id) ?? Infinity),
      expiresAt: entry.timestamp + entry.ttl,
      ...(first === undefined ? {} : { heldBy: first.entry }),
    });
  }
  return standing;
}

/** Does this entry end that claim or blocker (K2)? */
export function ends(entry: Entry, claim: Entry): boolean {
  if (!endings.has(entry.action) || entry.id === claim.id) return false;
  if (entry.ref !== undefined) return entry.ref === claim.id && (isSameOwner(entry, claim) || isByRight(entry));
  return isSameOwner(entry, claim) && isSameProject(entry, claim) && folded(entry.topic) === folded(claim.topic);
}

/** Do two holdings get in each other's way? By paths and resources; where one names neither, by topic. */
export function collide(a: Holding & Pick<Entry, "project">, b: Holding & Pick<Entry, "project">): boolean {
  if (!isSameProject(a, b)) return false;
  if (isBare(a) || isBare(b)) return folded(a.topic) === folded(b.topic);
  return (
    a.resources.some((name) => b.resources.includes(name)) ||
    a.paths.some((path) => b.paths.some((other) => overlap(path, other)))
  );
}

/** The first claim of another terminal that holds this path, relative to the top of the working tree. */
export function holderOf(path: string, claims: readonly Claim[], isOwn: (entry: Entry) => boolean): Claim | undefined {
  return claims.find(
    ({ entry, heldBy }) =>
      heldBy === undefined && !isOwn(entry) && entry.paths.some((pattern) => overlap(pattern, path)),
  );
}

/** Written by one terminal: the same session, or, where version 1 named none, the same label. */
export function isSameOwner(
  a: Pick<Entry, "sid" | "sourceInstance">,
  b: Pick<Entry, "sid" | "sourceInstance">,
): boolean {
  if (a.sid !== undefined && b.sid !== undefined) return a.sid === b.sid;
  return a.sourceInstance === b.sourceInstance && a.sourceInstance !== "?";
}

/** An id of version 7 holds when it was made. */
function timeInId(id: string): number | undefined {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-7/.test(id) ? parseInt(id.slice(0, 8) + id.slice(9, 13), 16) / 1000 : undefined;
}

function isSameProject(a: Pick<Entry, "project">, b: Pick<Entry, "project">): boolean {
  return a.project === undefined || b.project === undefined || a.project === b.project;
}

function isBare(holding: Holding): boolean {
  return holding.paths.length === 0 && holding.resources.length === 0;
}

function isByRight(entry: Entry): boolean {
  return entry.action === "released" && (entry.flags.includes("abandoned") || entry.flags.includes("forced"));
}
