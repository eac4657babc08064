/** Entries for tests, as they come out of the log. */
import type { Entry } from "../../src/activity/entry.ts";

/** Unix seconds at which tests of the log stand still. */
export const now = 1_800_000_000;

let count = 0;

/** An entry of terminal A, a minute old, with what the test is about. */
export function sampleEntry(changed: Partial<Entry> = {}): Entry {
  count += 1;
  return {
    v: 2,
    id: `entry-${String(count)}`,
    timestamp: now - 60,
    ttl: 3_600,
    sourceInstance: "A",
    sessionId: "aaaaaaaa",
    sid: "aaaaaaaaaaaaaaaa",
    project: "demo-0123456789ab",
    action: "completed",
    topic: "Auth token refresh fix",
    summary: "",
    affects: "",
    paths: [],
    resources: [],
    blocks: "",
    relevance: {},
    origin: "block",
    flags: [],
    extras: {},
    ...changed,
  };
}
