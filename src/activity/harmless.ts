/** Text of others as one inert line: it may say anything, but it can neither leave its line nor look like markup. */
import { cut } from "./entry.ts";
import { withoutTerminalCodes } from "./terminal-codes.ts";

/**
 * A field as it may stand in what a model reads: one line, no control, direction or invisible characters, marks escaped, cut.
 *
 * @param length in code points, before escaping.
 * @example harmless("# Do this\n`now`", 80) // "\\# Do this \\`now\\`"
 */
export function harmless(text: string, length: number): string {
  return plainLine(text, length)
    .replace(/[`\\]/gu, "\\$&")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replace(/^(?=[#|*+=~-])/u, "\\");
}

/** The same for what stands between backticks, where nothing can be escaped. */
export function harmlessCode(text: string, length: number): string {
  return plainLine(text, length).replaceAll("`", "'").replaceAll("<", "‹").replaceAll(">", "›");
}

/** One line without anything that acts on a terminal or hides; for the terminal, where marks mean nothing. */
export function plainLine(text: string, length: number): string {
  const line = withoutTerminalCodes(text.slice(0, 65_536).toWellFormed())
    .replace(/[\t\n\v\f\r\u0085\p{Zl}\p{Zp}]+/gu, " ")
    .replace(/\p{Cc}|\p{Cf}|\u034F|[\u115F\u1160\u3164\uFFA0]/gu, "")
    .replace(/\s+/gu, " ")
    .trim();
  return cut(line, length);
}
