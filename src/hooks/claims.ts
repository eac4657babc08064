/** A terminal's own claims live while it works, and end with it; those of others are named before an edit. */
import { actionOf } from "../activity/action.ts";
import { appendEntry } from "../activity/append.ts";
import { claimsIn, holderOf, type Claim } from "../activity/claims.ts";
import { newEntry, type Entry } from "../activity/entry.ts";
import { overlap } from "../activity/glob.ts";
import { harmless } from "../activity/harmless.ts";
import { isOwnOf } from "../activity/news.ts";
import { claimBytes, readLog } from "../activity/read.ts";
import { ageText } from "../activity/render.ts";
import { normalPath } from "../activity/scope.ts";
import { livingClaims } from "../activity/write.ts";
import { authorOf, isSlot, type HookTerminal } from "./terminal.ts";

/** Seconds between two looks at whether the terminal's claims need to live longer. */
const renewEvery = 300;

/** Does this word mean a claim? */
export function isClaim(action: string): boolean {
  return actionOf(action).action === "claimed";
}

/** What is said before an edit of a path that another terminal holds; undefined where nobody does. */
export function claimedEdit(terminal: HookTerminal): string | undefined {
  const { ground, input, now } = terminal;
  const path = input.editedPath === undefined ? undefined : normalPath(input.editedPath, ground);
  if (path === undefined || path.outside) return undefined;
  if (!mayBeHeld(terminal, path.path)) return undefined;
  const claims = livingClaims(ground.folder, entriesWithClaims(terminal), now, (entry) => isOwn(terminal, entry));
  const held = holderOf(path.path, claims, (entry) => isOwn(terminal, entry));
  return held === undefined ? undefined : noteOf(held, path.path, now);
}

/** Makes the terminal's own claims live longer if it is time; resolves to when that was last done. */
export async function renewedClaims(terminal: HookTerminal): Promise<number> {
  const { memory, now, ground } = terminal;
  if (now - memory.renewedAt < renewEvery) return memory.renewedAt;
  for (const { entry, heldBy } of claimsOf(terminal)) {
    if (heldBy !== undefined || !isOwn(terminal, entry) || now - entry.timestamp < entry.ttl / 2) continue;
    await appendEntry(ground.folder, { ...entry, timestamp: now }, { waitMs: 100, repeat: true, unlimited: true });
  }
  return now;
}

/** Releases what the terminal holds; all of it together waits for the lock no longer than `waitMs`. */
export async function releaseOwn(terminal: HookTerminal, waitMs: number): Promise<void> {
  const until = performance.now() + waitMs;
  for (const { entry } of claimsOf(terminal)) {
    if (entry.sid === terminal.sid) await release(terminal, entry, Math.max(0, until - performance.now()));
  }
}

/** After `/clear` the terminal has another conversation: what the one before held becomes its own, under the same words. */
export async function takeOver(terminal: HookTerminal): Promise<void> {
  const [before] = terminal.memory.former;
  if (before === undefined) return;
  for (const { entry, expiresAt } of claimsOf(terminal)) {
    if (entry.sid !== before) continue;
    const { topic, summary, paths, resources, blocks } = entry;
    const draft = { action: "claimed", topic, summary, paths, resources, blocks, ttl: expiresAt - terminal.now };
    const own = newEntry(draft, authorOf(terminal, "hook"), terminal.now);
    if (own === undefined) continue;
    await appendEntry(terminal.ground.folder, own, { waitMs: 100, unlimited: true });
    await release(terminal, entry, 100);
  }
}

/** A claim's end is its own terminal's word, so it is written under the hash that claimed. */
async function release(
  terminal: HookTerminal,
  { topic, paths, resources, id, sid }: Entry,
  waitMs: number,
): Promise<void> {
  const draft = { action: "released", topic, paths, resources, ref: id };
  const entry = newEntry(draft, authorOf(terminal, "hook"), terminal.now);
  if (entry === undefined || sid === undefined) return;
  await appendEntry(terminal.ground.folder, { ...entry, sid }, { waitMs, repeat: true, unlimited: true });
}

/** Is there a claim at all that names the path? Only then is it worth working out which claims stand. */
function mayBeHeld(terminal: HookTerminal, path: string): boolean {
  const near = nameOf(path);
  const isUseless = (line: string): boolean =>
    line.includes(terminal.sid) || (line.startsWith('{"v":2,') && !near.test(line));
  return claimed(terminal, isUseless).some(
    (entry) => !isOwn(terminal, entry) && entry.paths.some((pattern) => overlap(pattern, path)),
  );
}

/** What a line of version 2 must hold if one of its patterns is to meet the path: its first two parts, or a wildcard in their place. */
export function nameOf(path: string): RegExp {
  const [first = "", second] = path.split("/");
  // JSON may write other characters in more than one way.
  if (!/^[\w.-]+$/.test(first) || !/^[\w.-]*$/.test(second ?? "")) return /(?:)/;
  const plain = (part: string): string => part.replace(/[.-]/g, "\\$&");
  const wild = String.raw`[^"/]*[*?[{]`;
  const below = second === undefined ? "" : `/(?:"|${wild}|${plain(second)})|`;
  return new RegExp(String.raw`"(?:\./?"|(?:\./)?(?:${wild}|${plain(first)}(?:${below}/?")))`);
}

/** The claims that stand, however much was written since; also those of terminals that are gone. */
function claimsOf(terminal: HookTerminal): readonly Claim[] {
  return claimsIn(entriesWithClaims(terminal), terminal.now);
}

/** As much of the log as claims that stand may lie back. */
export function entriesWithClaims({ ground, now }: HookTerminal): readonly Entry[] {
  return readLog(ground.folder, { now, project: ground.project, maxBytes: claimBytes, expired: true }).entries;
}

/** Every claim whose time is not over, standing or not, but for lines that the caller has no use for: far cheaper than to work out which stand. */
export function claimed({ now, ground }: HookTerminal, isUseless: (line: string) => boolean): readonly Entry[] {
  const skip = (line: string): boolean => isNoClaim(line) || isUseless(line);
  const reading = { now, project: ground.project, maxBytes: claimBytes, skip };
  return readLog(ground.folder, reading).entries.filter(({ action }) => action === "claimed");
}

const others = ["completed", "signaling", "released", "blocked", "resolved", "health"].map((action) => `"${action}"`);

/** A line whose action is exactly another; version 1 wrote actions as they were typed, so all others are looked at. */
function isNoClaim(line: string): boolean {
  const key = line.indexOf('"action":');
  const at = line.charAt(key + 9) === " " ? key + 10 : key + 9;
  return key !== -1 && others.some((action) => line.startsWith(action, at));
}

/** In a slot also what the engine has claimed for its task, which is under the slot's name. */
function isOwn(terminal: HookTerminal, entry: Entry): boolean {
  const { sid, memory, session } = terminal;
  if (isSlot(terminal) && entry.sourceInstance === session.label) return true;
  return isOwnOf({ sids: [sid, ...memory.former], label: session.label }, entry);
}

/** Facts only: who, since when, until when, why. What to do about it is the user's and Claude's to say. */
function noteOf({ entry, expiresAt, since }: Claim, path: string, now: number): string {
  const minutes = Math.max(1, Math.round((expiresAt - now) / 60));
  const where = entry.worktree === undefined ? "" : ` in the worktree ${harmless(entry.worktree, 80)}`;
  const reason = entry.summary === "" ? "" : ` Its reason: "${harmless(entry.summary, 200)}"`;
  return (
    `Pool: ${harmless(path, 200)} is claimed by ${entry.sourceInstance}${where}, ${ageText(now - since)}, ` +
    `for "${harmless(entry.topic, 120)}".${reason} ` +
    `The claim ends in ${String(minutes)} min unless it is renewed. It is that terminal's own report, and does not forbid the edit.`
  );
}
