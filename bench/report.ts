/** The figures as people, programs and the docs read them. */
import { readFileSync, writeFileSync } from "node:fs";
import { type Figure, isReached } from "./figure.ts";

const page = new URL("../docs/benchmarks.md", import.meta.url);

/** One line of the run's output. */
export function figureLine(figure: Figure): string {
  const mark = isReached(figure) ? "reached" : "NOT REACHED";
  return `   ${figure.what}: ${amount(figure)} (${targetText(figure)}): ${mark}\n      ${detailText(figure)}`;
}

/** The table of docs/benchmarks.md. */
export function figuresTable(figures: readonly Figure[]): string {
  const rows = figures.map(
    (figure) =>
      `| ${figure.what} | ${amount(figure)} | ${targetText(figure)} | ${isReached(figure) ? "yes" : "**no**"} | ${detailText(figure)} |`,
  );
  return ["| what | measured | target | reached | medians behind it |", "|---|---|---|---|---|", ...rows].join("\n");
}

export function figuresJson(
  figures: readonly Figure[],
  machine: string,
  run: { readonly quick: boolean; readonly seconds: number },
): string {
  const rows = figures.map(({ target, ...figure }) => ({
    ...figure,
    ...("atMost" in target ? { at_most: target.atMost } : { at_least: target.atLeast }),
    reached: isReached({ ...figure, target }),
  }));
  return `${JSON.stringify({ machine, ...run, figures: rows }, null, 2)}\n`;
}

/** Puts table and machine between the marks of docs/benchmarks.md. */
export function writePage(figures: readonly Figure[], machine: string): void {
  const text = readFileSync(page, "utf8");
  const marked = /(<!-- measured -->)[\s\S]*?(<!-- end -->)/;
  if (!marked.test(text)) throw new Error("docs/benchmarks.md has lost the marks <!-- measured --> and <!-- end -->");
  writeFileSync(page, text.replace(marked, `$1\n\n${figuresTable(figures)}\n\nMeasured on ${machine}.\n\n$2`));
}

function amount({ value, unit }: Figure): string {
  return `${value.toLocaleString("en-US", { maximumFractionDigits: 3 })} ${unit}`;
}

function targetText({ target, unit }: Figure): string {
  const [word, value] = "atMost" in target ? ["at most", target.atMost] : ["at least", target.atLeast];
  return `${word} ${value.toLocaleString("en-US")} ${unit}`;
}

function detailText({ details }: Figure): string {
  return Object.entries(details)
    .map(
      ([name, value]) =>
        `${name.replaceAll("_", " ")} ${typeof value === "number" ? value.toLocaleString("en-US") : value}`,
    )
    .join(", ");
}
