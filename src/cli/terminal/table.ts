/** Columns of text, as wide as they must be. */
import { stripVTControlCharacters } from "node:util";

export interface TableOptions {
  /** Columns whose cells stand at the right: figures. */
  readonly right?: readonly number[];
  /** The terminal's width: the last column is cut to fit. */
  readonly width?: number | undefined;
}

/**
 * Rows of cells as lines, the first row being the head; no line ends in a space.
 *
 * @example table([["id", "cost"], ["task-1", "$0.10"]], { right: [1] })
 */
export function table(rows: readonly (readonly string[])[], options: TableOptions = {}): readonly string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => shownLength(row[column] ?? ""))),
  );
  return rows.map((row) => {
    const cells = row.map((cell, column) => {
      const space = " ".repeat((widths[column] ?? 0) - shownLength(cell));
      return options.right?.includes(column) === true ? space + cell : cell + space;
    });
    return cut(cells.join("  ").trimEnd(), options.width);
  });
}

/** Text of others on one line: no control character of it reaches the terminal. */
export function oneLine(text: string, max: number): string {
  const flat = stripVTControlCharacters(text)
    .replace(/\s+/g, " ")
    .replace(/\p{Cc}/gu, "")
    .trim();
  return flat.length <= max ? flat : `${flat.slice(0, Math.max(0, max - 1)).trimEnd()}…`;
}

/** A line whose colours are in what would go stays as it is. */
function cut(line: string, width: number | undefined): string {
  if (width === undefined || shownLength(line) <= width) return line;
  const kept = line.slice(0, Math.max(0, line.length - (shownLength(line) - width) - 1));
  return shownLength(kept) === Math.max(0, width - 1) ? `${kept.trimEnd()}…` : line;
}

function shownLength(text: string): number {
  return stripVTControlCharacters(text).length;
}
