/** Colour where it helps: on a terminal that wants it (https://no-color.org). */
import { styleText } from "node:util";
import type { Sink } from "./io.ts";

const styles = ["bold", "dim", "red", "green", "yellow", "cyan"] as const;

export type Colours = Readonly<Record<(typeof styles)[number], (text: string) => string>>;

export function colours(sink: Sink, env: Readonly<Record<string, string | undefined>>): Colours {
  const wanted = sink.isTTY === true && (env.NO_COLOR ?? "") === "" && env.TERM !== "dumb";
  const entries = styles.map((style) => [
    style,
    (text: string) => (wanted ? styleText(style, text, { validateStream: false }) : text),
  ]);
  return Object.fromEntries(entries) as Colours;
}
