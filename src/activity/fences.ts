/**
 * Which fenced `pool` blocks an answer really means, and which it only shows.
 *
 * F1. What stands in another open fence, in an HTML comment, in a `>` quote or in indented code is an example.
 * F2. A fence closes at the first line made only of at least as many of its own character; fewer, or more on that line, is content.
 * F3. A fence that the answer leaves open still counts, up to its first blank line: what follows is prose, not the block.
 */

/** The body of one block, as it was written. */
export interface FencedBody {
  readonly lines: readonly string[];
  /** Did the answer end before the fence closed? */
  readonly isOpen: boolean;
}

interface Fence {
  readonly mark: string;
  readonly length: number;
  readonly isPool: boolean;
  readonly lines: string[];
}

/** The bodies of an answer's `pool` fences, in order. */
export function poolFences(answer: string): readonly FencedBody[] {
  const found: FencedBody[] = [];
  let fence: Fence | undefined;
  let isComment = false;
  let isList = false;
  for (const line of linesOf(answer)) {
    if (fence !== undefined) {
      if (!closes(line, fence)) fence.lines.push(line);
      else {
        if (fence.isPool) found.push({ lines: fence.lines, isOpen: false });
        fence = undefined;
      }
      continue;
    }
    if (isComment) {
      isComment = !line.includes("-->");
      continue;
    }
    isList = staysInList(line, isList);
    fence = opened(line, isList);
    if (fence === undefined) isComment = line.lastIndexOf("<!--") > line.lastIndexOf("-->");
  }
  if (fence?.isPool === true) found.push({ lines: untilBlank(fence.lines), isOpen: true });
  return found;
}

/** Line ends as one, and nothing invisible that would hide a fence or a key. */
function linesOf(answer: string): readonly string[] {
  return answer.replace(/[\u200B-\u200D\u2060\uFEFF]/gu, "").split(/\r\n|\r|\n/u);
}

function opened(line: string, isList: boolean): Fence | undefined {
  const match = /^([ \t]*)((?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*)(`{3,}|~{3,})(.*)$/u.exec(line);
  if (match === null) return undefined;
  const [, indent = "", , marks = "", info = ""] = match;
  if (!isList && (indent.length > 3 || indent.includes("\t"))) return undefined;
  const mark = marks.charAt(0);
  if (mark === "`" && info.includes("`")) return undefined; // inline code, not a fence
  const isPool = info.trim().split(/\s+/u)[0]?.toLowerCase() === "pool";
  return { mark, length: marks.length, isPool, lines: [] };
}

function closes(line: string, fence: Fence): boolean {
  const text = line.trim();
  return text.length >= fence.length && text === fence.mark.repeat(text.length);
}

/** Is this line inside a list item? An item goes on over blank and indented lines. */
function staysInList(line: string, isList: boolean): boolean {
  if (/^ {0,3}(?:[-*+]|\d{1,9}[.)])[ \t]+\S/u.test(line)) return true;
  return isList && /^(?:\s*$|\s)/u.test(line);
}

function untilBlank(lines: readonly string[]): readonly string[] {
  const first = lines.findIndex((line) => line.trim() !== "");
  const blank = lines.findIndex((line, index) => index > first && line.trim() === "");
  return blank < 0 ? lines : lines.slice(0, blank);
}
