/** What a benchmark answers with, and the arithmetic all of them share. */

/** A measured figure beside what it must reach. A target that is missed is shown, and fails nothing: machines differ. */
export interface Figure {
  /** Its name in the JSON, in snake_case. */
  readonly id: string;
  /** A row's first cell. */
  readonly what: string;
  readonly value: number;
  readonly unit: "times" | "tasks/s" | "ms" | "s" | "MB";
  readonly target: Target;
  /** The medians behind it, and what else one should know, by name. */
  readonly details: Readonly<Record<string, number | string>>;
}

export type Target = { readonly atMost: number } | { readonly atLeast: number };

export interface BenchOptions {
  /** Fewer rounds: for CI. */
  readonly quick: boolean;
}

export type Bench = (options: BenchOptions) => Promise<readonly Figure[]>;

export function isReached({ value, target }: Figure): boolean {
  return "atMost" in target ? value <= target.atMost : value >= target.atLeast;
}

/** How long the work takes, in milliseconds. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** By the nearest rank; p from 0 to 100. @throws if there are no values. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(Math.ceil((p / 100) * sorted.length) - 1, 0)];
  if (value === undefined) throw new Error("nothing was measured");
  return value;
}

export function round(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}
