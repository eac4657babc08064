/** The seven actions of the log, and the words that people and models use for them. */
import { editDistance } from "./edit-distance.ts";

export const actions = ["completed", "blocked", "claimed", "released", "resolved", "signaling", "health"] as const;

/** What an entry reports. */
export type Action = (typeof actions)[number];

const synonyms: Readonly<Record<Action, string>> = {
  completed: "complete done finished finish fixed shipped merged deployed landed closed success",
  blocked: "block blocker stuck waiting failed failing error on_hold",
  claimed: "claim claiming started starting start in_progress wip working taking locked reserve reserved",
  released: "release unclaim unclaimed abandoned dropped yield handoff",
  resolved: "unblocked unblock cleared",
  signaling: "signal signalling info fyi note notice discovery discovered researched finding warning question",
  health: "heartbeat alive status ping",
};

const words = new Map<string, Action>(
  actions.flatMap((action) => [action, ...synonyms[action].split(" ")].map((word) => [word, action] as const)),
);

/**
 * The action that a word means: itself, a synonym, the nearest one if a typing error leads to one action only; else `signaling`.
 * `raw` is the word as it was written, when it is not the action's own name; `unknown` says that nothing was near.
 *
 * @example actionOf("**Shipped!**") // { action: "completed", raw: "**Shipped!**" }
 */
export function actionOf(text: string): { readonly action: Action; readonly raw?: string; readonly unknown?: true } {
  const written = text.trim();
  const exact = words.get(written);
  if (exact !== undefined) return exact === written ? { action: exact } : { action: exact, raw: written };
  const word = written
    .toLowerCase()
    .replace(/[*_`~]+(?=\S)|(?<=\S)[*_`~]+$/g, (marks, at: number) => (at === 0 || /[*`~]/.test(marks) ? "" : marks))
    .replace(/[\s.,;:!?*_`~]+$/u, "")
    .replace(/[\s-]+/g, "_");
  if (word === "") return { action: "signaling" };
  const known = words.get(word) ?? nearest(word);
  if (known === undefined) return { action: "signaling", raw: written, unknown: true };
  return known === word ? { action: known } : { action: known, raw: written };
}

function nearest(word: string): Action | undefined {
  const limit = word.length >= 5 ? 2 : 1;
  let best = limit + 1;
  let found = new Set<Action>();
  for (const [known, action] of words) {
    const distance = editDistance(word, known, limit);
    if (distance > limit || distance > best) continue;
    if (distance < best) found = new Set();
    best = distance;
    found.add(action);
  }
  return found.size === 1 ? [...found][0] : undefined;
}
