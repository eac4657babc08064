/** Choosing entries of the log: what `list` and its flags mean. */
import { actionOf } from "./action.ts";
import { folded, type Entry } from "./entry.ts";
import { overlap } from "./glob.ts";

/** Which entries; what is left out admits all. */
export interface EntryFilter {
  /** Not older than this (Unix seconds). */
  readonly since?: number;
  /** A terminal's label; case counts, as it always has. */
  readonly instance?: string;
  /** Only this terminal's own. */
  readonly sid?: string;
  /** An action or a synonym of one. */
  readonly action?: string;
  /** Part of the topic, the summary or what is affected; case does not count. */
  readonly topic?: string;
  /** Words that all occur somewhere in the entry. */
  readonly search?: string;
  /** A path, glob or resource that the entry's touch. */
  readonly path?: string;
}

/** Does the entry pass? */
export function entryFilter(filter: EntryFilter): (entry: Entry) => boolean {
  const action = filter.action === undefined ? undefined : actionOf(filter.action).action;
  const topic = filter.topic === undefined ? undefined : folded(filter.topic);
  const words = filter.search === undefined ? [] : folded(filter.search).split(" ");
  return (entry) =>
    (filter.since === undefined || entry.timestamp >= filter.since) &&
    (filter.instance === undefined || entry.sourceInstance === filter.instance) &&
    (filter.sid === undefined || entry.sid === filter.sid) &&
    (action === undefined || entry.action === action) &&
    (topic === undefined || [entry.topic, entry.summary, entry.affects].some((text) => folded(text).includes(topic))) &&
    (words.length === 0 || hasAll(entry, words)) &&
    (filter.path === undefined || touches(entry, filter.path));
}

function hasAll(entry: Entry, words: readonly string[]): boolean {
  const { topic, summary, affects, blocks, sourceInstance, branch, action } = entry;
  const text = folded([topic, summary, affects, blocks, sourceInstance, branch ?? "", action].join(" "));
  return words.every((word) => text.includes(word));
}

function touches(entry: Entry, path: string): boolean {
  return entry.resources.includes(path.toLowerCase()) || entry.paths.some((other) => overlap(other, path));
}
