/**
 * Which entries a terminal is shown, and in what order.
 *
 * N1. Shown is what is its own, what is relevant to it, and what says that it concerns everybody (BLOCKS): of this project, and of the last kind
 *     only so many.
 * N2. One topic of one terminal is one entry, the newest. A claim that has ended is none, and neither is the release of one that a terminal
 *     took along over `/clear`.
 * N3. First what stands in the way of the reader's own work, then what is blocked or concerns everybody, then the rest, then what a
 *     machine guessed; within each the newest first.
 */
import type { Claim } from "./claims.ts";
import { collide, isSameOwner } from "./claims.ts";
import { folded, isLive, isOfTask, type Entry } from "./entry.ts";
import { overlap } from "./glob.ts";
import { relevanceFor, threshold, type Reader } from "./relevance.ts";
import type { Shown } from "./render.ts";

/** A terminal that reads. */
export interface Terminal {
  readonly label: string;
  /** Its conversations' hashes, the present one first: `/clear` begins another. */
  readonly sids: readonly string[];
  readonly project: string;
  readonly reader: Reader;
}

const mostForEverybody = 5;

/**
 * What the terminal is shown of the log's entries, which may hold expired ones, at a time in Unix seconds.
 *
 * @param claims of the same entries, as `claimsIn` gives them.
 */
export function shownTo(
  terminal: Terminal,
  entries: readonly Entry[],
  claims: readonly Claim[],
  now: number,
): readonly Shown[] {
  const standing = new Set(claims.map(({ entry }) => entry.id));
  const held = new Set(claims.map(({ entry }) => claimName(entry)));
  const live = entries.filter(
    (entry) =>
      isLive(entry, now) &&
      (entry.action !== "claimed" || standing.has(entry.id)) &&
      (entry.action !== "released" || !held.has(claimName(entry))),
  );
  const latest = collapsed(live);
  const score = relevanceFor(terminal.reader, live);
  const isInTheWay = standingInTheWayOf(terminal, claims);
  const ranked = latest
    .map((entry) => ({ entry, isOwn: isOwnOf(terminal, entry), score: score(entry) }))
    .map((one) => ({ ...one, rank: rankOf(one.entry, isInTheWay(one)) }))
    .sort((a, b) => a.rank - b.rank || b.entry.timestamp - a.entry.timestamp);
  let forEverybody = 0;
  const kept = ranked.filter(({ entry, isOwn, score, rank }) => {
    if (isOwn || score >= threshold || rank === ranks.inTheWay) return true;
    const concernsEverybody = entry.blocks !== "" && entry.project === terminal.project;
    forEverybody += concernsEverybody ? 1 : 0;
    return concernsEverybody && forEverybody <= mostForEverybody;
  });
  const label = labels(
    kept.map(({ entry }) => entry),
    terminal,
  );
  return kept.map(({ entry, isOwn, score }) => ({ entry, isOwn, score, label: label(entry) }));
}

/** Did this terminal write it? The same conversation, or an entry of version 1 with its label. */
export function isOwnOf(
  terminal: Pick<Terminal, "sids" | "label">,
  entry: Pick<Entry, "sid" | "sourceInstance">,
): boolean {
  if (entry.sid !== undefined) return terminal.sids.includes(entry.sid);
  return isSameOwner(entry, { sourceInstance: terminal.label });
}

/** A label that another terminal has too, told apart by the beginning of its conversation's hash. */
export function distinctLabel(label: string, sid: string | undefined): string {
  return sid === undefined ? label : `${label}·${sid.slice(0, 4)}`;
}

function claimName({ sourceInstance, topic }: Entry): string {
  return `${sourceInstance} ${folded(topic)}`;
}

/**
 * The newest entry of each topic of each terminal, the last line of the log first. A clock may go back, so the order of the log says which is
 * newest; but a claim that was renewed after what its terminal said of the topic is newer than its place, and stands.
 */
function collapsed(entries: readonly Entry[]): readonly Entry[] {
  const newest = new Map<string, Entry>();
  for (const entry of entries) {
    const key = [entry.sid ?? `v1 ${entry.sourceInstance}`, folded(entry.topic)].join("\0");
    const before = newest.get(key);
    if (before?.action === "claimed" && entry.timestamp < before.timestamp) continue;
    newest.delete(key); // to stand at its own line's place
    newest.set(key, entry);
  }
  return [...newest.values()].toReversed();
}

type Rankable = Pick<Shown, "entry" | "isOwn">;

function standingInTheWayOf(terminal: Terminal, claims: readonly Claim[]): (one: Rankable) => boolean {
  const mine = claims.filter(({ entry }) => isOwnOf(terminal, entry));
  const { files } = terminal.reader;
  return ({ entry, isOwn }) =>
    entry.action === "claimed" &&
    !isOwn &&
    (mine.some((claim) => collide(claim.entry, entry)) ||
      entry.paths.some((path) => files.some((file) => overlap(path, file))));
}

const ranks = { inTheWay: 0, pressing: 1, rest: 2, guessed: 3 } as const;

function rankOf(entry: Entry, isInTheWay: boolean): number {
  if (entry.origin === "auto") return ranks.guessed;
  if (isInTheWay) return ranks.inTheWay;
  return entry.action === "blocked" || entry.blocks !== "" ? ranks.pressing : ranks.rest;
}

function labels(entries: readonly Entry[], terminal: Terminal): (entry: Entry) => string {
  const owners = new Map<string, Set<string>>([[terminal.label, new Set(["own"])]]);
  const ownerOf = (entry: Entry): string =>
    isOwnOf(terminal, entry) ? "own" : isOfTask(entry) ? "pool" : (entry.sid ?? "v1");
  for (const entry of entries) {
    const known = owners.get(entry.sourceInstance) ?? new Set();
    owners.set(entry.sourceInstance, known.add(ownerOf(entry)));
  }
  return (entry) => {
    const isShared = (owners.get(entry.sourceInstance)?.size ?? 0) > 1;
    return isShared ? distinctLabel(entry.sourceInstance, entry.sid) : entry.sourceInstance;
  };
}
