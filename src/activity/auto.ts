/**
 * Automatic mode: what a turn's ending most likely means for others, where it carries no `pool` block. Off unless the user turns it on.
 *
 * A1. No guess without evidence that words cannot make: a call that succeeded or failed, or a plea for access at the very end.
 * A2. Only `completed` and `blocked`; a guess never claims, and never carries BLOCKS.
 * A3. A turn that has reported by itself, and a subagent's, give none.
 */
import { signalsOf, type Signals, type ToolCall } from "./auto-calls.ts";
import { asTopic, blockedEnding, finishedEnding } from "./auto-words.ts";
import { cut } from "./entry.ts";

export interface Turn {
  /** The last message. */
  readonly answer: string;
  readonly calls: readonly ToolCall[];
  readonly isSubagent: boolean;
}

export interface Guess {
  readonly action: "completed" | "blocked";
  /** At most 80 characters. */
  readonly topic: string;
  /** At most 200. */
  readonly summary: string;
  /** From 0.7 to 1. */
  readonly confidence: number;
  /** The files that the turn edited, as its calls named them. */
  readonly edited: readonly string[];
}

/** Seconds between two guesses of one terminal. */
export const guessEvery = 300;

const weights = { hard: 0.6, words: 0.25, named: 0.15 } as const;
const leastConfidence = 0.7;

/** Guesses; undefined where the ending is neither, or not plainly enough. */
export function guessOf({ answer, calls, isSubagent }: Turn): Guess | undefined {
  const signals = signalsOf(calls);
  if (isSubagent || signals.reported) return undefined;
  return blocked(answer, signals) ?? completed(answer, signals);
}

function blocked(answer: string, { stopped, edited }: Signals): Guess | undefined {
  const ending = blockedEnding(answer);
  return ending && guess("blocked", ending, { hard: stopped || ending.asks, named: /`[^`]+`/u.test(answer) }, edited);
}

function completed(answer: string, { finished, failing, edited }: Signals): Guess | undefined {
  const ending = failing ? undefined : finishedEnding(answer);
  return (
    ending && guess("completed", ending, { hard: finished, named: edited.some((path) => names(answer, path)) }, edited)
  );
}

function names(answer: string, path: string): boolean {
  const name = path.split(/[\\/]/u).at(-1) ?? "";
  return name !== "" && answer.includes(name);
}

function guess(
  action: Guess["action"],
  { sentence, sentences }: { readonly sentence: string; readonly sentences: readonly string[] },
  evidence: { readonly hard: boolean; readonly named: boolean },
  edited: readonly string[],
): Guess | undefined {
  const sum = weights.words + (evidence.hard ? weights.hard : 0) + (evidence.named ? weights.named : 0);
  const confidence = Math.round(sum * 100) / 100;
  if (confidence < leastConfidence) return undefined;
  return { action, topic: cut(asTopic(sentence), 80), summary: cut(sentences.join(" "), 200), confidence, edited };
}
