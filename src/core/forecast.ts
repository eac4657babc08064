/** What a run will cost and take, judged by those that the record holds: with a range, and with what it rests on. */
import { defined } from "./config.ts";

/** What is known of a run beforehand. */
export interface RunLike {
  readonly tags: readonly string[];
  /** A part of the name of the model that will answer. */
  readonly model?: string;
}

/** Low and high are the tenth and the ninetieth of a hundred runs. */
export interface Range {
  readonly low: number;
  readonly typical: number;
  readonly high: number;
}

export type Basis = "tag_and_model" | "tag" | "model" | "overall";

/** `known` false: too few runs have ended to say anything. */
export type Forecast =
  | { readonly known: false; readonly runs: number }
  | {
      readonly known: true;
      /** How many runs it rests on, the latest of their kind. */
      readonly runs: number;
      /** What they have in common with this one; `overall`: nothing but the pool. */
      readonly basis: Basis;
      readonly costMicrodollars: Range;
      readonly elapsedMs: Range;
    };

/** With fewer runs of a kind, the next wider kind is asked. */
export const enoughRuns = 5;
/** So many of the latest are looked at. */
export const mostRuns = 200;

export interface PastRun {
  readonly costMicrodollars: number;
  readonly elapsedMs: number;
}

/** The narrowest kind with enough runs. */
export function forecastOf(kinds: readonly { readonly basis: Basis; readonly runs: readonly PastRun[] }[]): Forecast {
  const kind = kinds.find(({ runs }) => runs.length >= enoughRuns);
  if (kind === undefined) return { known: false, runs: kinds.at(-1)?.runs.length ?? 0 };
  return {
    known: true,
    runs: kind.runs.length,
    basis: kind.basis,
    costMicrodollars: rangeOf(kind.runs.map((run) => run.costMicrodollars)),
    elapsedMs: rangeOf(kind.runs.map((run) => run.elapsedMs)),
  };
}

/** A task's own cap bounds what it can cost. */
export function capped(forecast: Forecast, capMicrodollars: number | undefined): Forecast {
  if (!forecast.known || capMicrodollars === undefined) return forecast;
  const { low, typical, high } = forecast.costMicrodollars;
  const bound = (value: number): number => Math.min(value, capMicrodollars);
  return { ...forecast, costMicrodollars: { low: bound(low), typical: bound(typical), high: bound(high) } };
}

/** Many tasks together; the range is that of all of them being cheap, or all dear. */
export function addForecasts(forecasts: readonly Forecast[], slots: number): Forecast {
  const known = forecasts.filter((forecast) => forecast.known);
  const [first] = known;
  const runs = Math.min(...forecasts.map((forecast) => forecast.runs));
  if (first === undefined || known.length < forecasts.length) return { known: false, runs };
  const sums = known.map(({ elapsedMs }) => elapsedMs).reduce(addRanges, { low: 0, typical: 0, high: 0 });
  const longest = (end: keyof Range): number => Math.max(...known.map(({ elapsedMs }) => elapsedMs[end]));
  const time = (end: keyof Range): number => Math.max(longest(end), Math.round(sums[end] / Math.max(1, slots)));
  return {
    known: true,
    runs,
    basis: known.every(({ basis }) => basis === first.basis) ? first.basis : "overall",
    costMicrodollars: known.map(({ costMicrodollars }) => costMicrodollars).reduce(addRanges),
    elapsedMs: { low: time("low"), typical: time("typical"), high: time("high") },
  };
}

/** The kinds to ask, the narrowest first. */
export function kindsLike(like: RunLike): readonly {
  readonly basis: Basis;
  readonly tags?: readonly string[];
  readonly model?: string;
}[] {
  const tags = like.tags.length === 0 ? undefined : like.tags;
  const both = tags !== undefined && like.model !== undefined;
  return [
    ...(both ? [defined({ basis: "tag_and_model" as const, tags, model: like.model })] : []),
    ...(tags === undefined ? [] : [{ basis: "tag" as const, tags }]),
    ...(like.model === undefined ? [] : [{ basis: "model" as const, model: like.model }]),
    { basis: "overall" as const },
  ];
}

function rangeOf(values: readonly number[]): Range {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  return { low: at(0.1), typical: at(0.5), high: at(0.9) };
}

function addRanges(a: Range, b: Range): Range {
  return { low: a.low + b.low, typical: a.typical + b.typical, high: a.high + b.high };
}
