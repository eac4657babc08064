/** What the log holds as MCP and REST answer it: each entry without what only the file's own readers need. */
import type { Claim } from "./activity/claims.ts";
import type { Entry } from "./activity/entry.ts";
import type { Presence } from "./activity/who.ts";
import { defined } from "./core/config.ts";
import type { ShownClaim, ShownEntry, ShownPresence } from "./core/activity.ts";

export function shownEntry(entry: Entry): ShownEntry {
  const { id, timestamp, ttl, sourceInstance, project, branch, worktree, action, topic } = entry;
  const { summary, paths, resources, blocks, origin, ref, flags } = entry;
  return {
    id,
    timestamp,
    ttl,
    sourceInstance,
    action,
    topic,
    summary,
    paths,
    resources,
    blocks,
    flags,
    ...defined({ project, branch, worktree, origin, ref }),
  };
}

export function shownClaim({ entry, since, expiresAt, heldBy }: Claim): ShownClaim {
  return { ...shownEntry(entry), since, expiresAt, ...defined({ heldBy: heldBy?.id }) };
}

export function shownPresence({
  label,
  state,
  isOwn,
  project,
  branch,
  cwd,
  seenAt,
  claims,
  last,
}: Presence): ShownPresence {
  return {
    label,
    state,
    own: isOwn,
    seenAt,
    claims: claims.map(shownClaim),
    ...defined({ project, branch, cwd, last: last && shownEntry(last) }),
  };
}
