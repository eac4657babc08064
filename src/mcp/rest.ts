/** Where all of a value is that an answer had to cut. */
import type { Locate } from "./bounded.ts";

/** The resource that has it, from the character on at which the answer stops, where that can be said. */
export const locate: Locate = (path, kept, { owner, whole }) => {
  const from = `?from=${String(kept)}`;
  const [first] = path;
  // The answer of pool_diff: all of it is of one task, in the state that it was asked for.
  if (typeof whole.base === "string" && owner !== undefined) {
    const of = typeof whole.of === "string" ? `of=${whole.of}` : "";
    if (first === "patch") return `pool://patches/${owner}${from}${of === "" ? "" : `&${of}`}`;
    return `pool://diffs/${owner}${of === "" ? "" : `?${of}`}`;
  }
  if (first === "merge" || first === "merges") return mergeOf(path, whole);
  if (first === "worktrees") return "pool://worktrees";
  if (owner !== undefined) {
    if (owner.startsWith("req-")) return `pool://requests/${owner}`;
    if (owner.startsWith("msg-")) return `pool://messages/${owner}${from}`;
    if (path.at(-1) === "output" && !path.includes("completed_steps")) return `pool://results/${owner}${from}`;
    return owner.startsWith("chain-") && first !== "done" ? `pool://chains/${owner}` : `pool://tasks/${owner}`;
  }
  if (typeof whole.tag === "string") return `pool://tasks?tag=${encodeURIComponent(whole.tag)}`;
  if (first === "requests") return "pool://requests";
  if (first === "context") return "pool://context";
  if (typeof whole.key === "string") return `pool://context/${encodeURIComponent(whole.key)}${from}`;
  if (first === "skills") return "pool://skills";
  if (first === "slots") return "pool://slots";
  if (typeof whole.source === "string" && typeof whole.name === "string") return `pool://skills/${whole.name}`;
  return first === "cancelled_pending" ? "pool://tasks?state=cancelled" : "pool://tasks";
};

/** A merge's own address, where the answer says which it is. */
function mergeOf(path: readonly (string | number)[], whole: Readonly<Record<string, unknown>>): string {
  const value = path[0] === "merge" ? whole.merge : (whole.merges as readonly unknown[])[Number(path[1])];
  const { id } = (value ?? {}) as { readonly id?: unknown };
  return typeof id === "string" ? `pool://merges/${id}` : "pool://merges";
}
