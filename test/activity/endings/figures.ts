/** How automatic mode does on the labelled endings: the figures of the docs, and of the test that holds them. */
import { guessOf, type Turn } from "../../../src/activity/auto.ts";
import { readEndings, readHeldBack, type Ending, type Label } from "./read.ts";

const labels: readonly Label[] = ["completed", "blocked", "none"];

/** By label, how many were taken for completed, for blocked, for neither. */
export type Confusion = Readonly<Record<Label, readonly [number, number, number]>>;

export interface Figures {
  readonly built: Confusion;
  readonly heldBack: Confusion;
}

/** Guesses at all of them. */
export function figures(): Figures {
  const held = new Set(readHeldBack());
  const endings = readEndings();
  return {
    built: confusionOf(endings.filter(({ id }) => !held.has(id))),
    heldBack: confusionOf(endings.filter(({ id }) => held.has(id))),
  };
}

/** The share of the guesses that are right. */
export function precisionOf(confusion: Confusion): number {
  const guesses = labels.reduce((sum, label) => sum + confusion[label][0] + confusion[label][1], 0);
  return right(confusion) / guesses;
}

/** The share of what there was to tell that was told, and rightly. */
export function recallOf(confusion: Confusion): number {
  const all = [...confusion.completed, ...confusion.blocked].reduce((sum, count) => sum + count, 0);
  return right(confusion) / all;
}

/** The tables of the docs. */
export function figureTables(): string {
  const { built, heldBack } = figures();
  return [...table("the half it was built on", built), "", ...table("the half that was held back", heldBack)].join(
    "\n",
  );
}

function table(name: string, confusion: Confusion): readonly string[] {
  const percent = (share: number): string => `${String(Math.round(share * 100))}%`;
  const guesses = labels.reduce((sum, label) => sum + confusion[label][0] + confusion[label][1], 0);
  const told = `${String(right(confusion))} of ${String(guesses)} guesses right`;
  return [
    `| ${name} | guessed completed | guessed blocked | no guess |`,
    "|---|---|---|---|",
    ...labels.map((label) => `| is ${label === "none" ? "neither" : label} | ${confusion[label].join(" | ")} |`),
    "",
    `Precision ${percent(precisionOf(confusion))} (${told}), recall ${percent(recallOf(confusion))}.`,
  ];
}

function right({ completed, blocked }: Confusion): number {
  return completed[0] + blocked[1];
}

function confusionOf(endings: readonly Ending[]): Confusion {
  const count = (label: Label, guess: Label): number =>
    endings.filter((one) => one.label === label && (guessOf(turnOf(one))?.action ?? "none") === guess).length;
  const row = (label: Label): readonly [number, number, number] => [
    count(label, "completed"),
    count(label, "blocked"),
    count(label, "none"),
  ];
  return { completed: row("completed"), blocked: row("blocked"), none: row("none") };
}

/** `Bash npm test => failed: 3 failed` as a call. */
export function turnOf({ answer, calls, subagent }: Pick<Ending, "answer" | "calls" | "subagent">): Turn {
  return {
    answer,
    isSubagent: subagent === true,
    calls: calls.map((call) => {
      const [what = "", why] = call.split(" => failed");
      const [tool = "", ...input] = what.split(" ");
      return { tool, input: input.join(" "), failed: why !== undefined };
    }),
  };
}
