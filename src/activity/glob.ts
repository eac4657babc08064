/**
 * Do two patterns have a path in common? The one question behind claims: a plain path is a pattern without wildcards.
 *
 * `*` and `?` stay within a part, `**` is any number of parts, `[...]` and `{...}` are taken as wide as they could be. A pattern also stands for
 * all that lies below it, unless its last part looks like a file's name. The time is bounded by the product of the lengths, whatever they hold.
 */
export function overlap(a: string, b: string): boolean {
  const [left, right] = [partsOf(a), partsOf(b)];
  // Most paths part ways before the first wildcard, and that is seen at a glance.
  for (const [index, part] of left.entries()) {
    const other = right[index];
    if (other === undefined || isGlob(part) || isGlob(other)) break;
    if (part !== other) return false;
  }
  return meet(left.length, right.length, (i, j) => {
    const [x = "", y = ""] = [left[i], right[j]];
    return { sameItem: () => partsMeet(x, y), leftMany: x === "**", rightMany: y === "**" };
  });
}

/** Is this a pattern rather than the name of one file or folder? */
function isGlob(path: string): boolean {
  return /[*?[\]{}]/.test(path);
}

/** Patterns that were taken apart lately: a claim's are compared with every other claim's. */
const known = new Map<string, readonly string[]>();
const mostKnown = 4_096;

function partsOf(pattern: string): readonly string[] {
  const before = known.get(pattern);
  if (before !== undefined) return before;
  if (known.size >= mostKnown) known.clear();
  const found = parts(pattern);
  known.set(pattern, found);
  return found;
}

/** What may be a folder ends in `**`, for what lies below it. */
function parts(pattern: string): readonly string[] {
  const found = pattern.split("/").filter((part) => part !== "" && part !== ".");
  const collapsed = found.filter((part, index) => part !== "**" || found[index - 1] !== "**");
  const last = collapsed.at(-1) ?? "**";
  const isFile = !pattern.endsWith("/") && /[^.]\.[A-Za-z]\w{0,9}$/.test(last);
  return last === "**" || isFile ? collapsed : [...collapsed, "**"];
}

function partsMeet(a: string, b: string): boolean {
  if (a === b) return true;
  if (!isGlob(a) && !isGlob(b)) return false;
  const [left, right] = [widened(a), widened(b)];
  return meet(left.length, right.length, (i, j) => {
    const [x, y] = [left[i], right[j]];
    return { sameItem: () => x === y || x === "?" || y === "?", leftMany: x === "*", rightMany: y === "*" };
  });
}

/** The characters of a part, sets as `?` and alternatives as `*`. */
function widened(part: string): readonly string[] {
  const plain = part
    .replace(/\{[^}]*\}?/g, "*")
    .replace(/\[[^\]]*\]?/g, "?")
    .replace(/\*+/g, "*");
  return Array.from(plain);
}

interface Pair {
  readonly sameItem: () => boolean;
  readonly leftMany: boolean;
  readonly rightMany: boolean;
}

/** Can both sequences be walked to their ends together? One row of the table of (i, j) at a time. */
function meet(left: number, right: number, pair: (i: number, j: number) => Pair): boolean {
  let row = reachedWithin(0, new Set([0]), left, right, pair);
  for (let i = 0; i < left; i += 1) {
    const next = new Set<number>();
    for (const j of row) {
      const { sameItem, leftMany, rightMany } = pair(i, j);
      if (leftMany) next.add(j);
      if (j < right && rightMany) next.add(j);
      if (j < right && !leftMany && !rightMany && sameItem()) next.add(j + 1);
    }
    row = reachedWithin(i + 1, next, left, right, pair);
    if (row.size === 0) return false;
  }
  return row.has(right);
}

/** What is reached in one row without leaving it: a wildcard on the right stands for nothing, one on the left takes an item of the right. */
function reachedWithin(
  i: number,
  from: Set<number>,
  left: number,
  right: number,
  pair: (i: number, j: number) => Pair,
): Set<number> {
  for (const j of [...from].sort((a, b) => a - b)) {
    for (let at = j; at < right; at += 1) {
      const { leftMany, rightMany } = pair(i, at);
      if (!rightMany && !(i < left && leftMany)) break;
      from.add(at + 1);
    }
  }
  return from;
}
