/** Puts labelled prompts before the router and counts how often it is right. */
import { readFileSync } from "node:fs";
import { fromWire } from "../../src/core/wire.ts";
import type { RouteAnswer, RouteHints, RouteOptions } from "../../src/core/route.ts";

export interface RouteCase {
  readonly label: string;
  readonly prompt: string;
  /** Any of these is right. */
  readonly expected: readonly RouteAnswer["route"][];
  readonly hints?: RouteHints;
}

export interface RouteCaseResult extends RouteCase {
  readonly got?: RouteAnswer["route"];
  /** How many parts or steps it has. */
  readonly parts?: number;
  readonly reason?: string;
  readonly pass: boolean;
  readonly error?: string;
  readonly elapsedMs: number;
  readonly costMicrodollars: number;
}

export interface RouteSummary {
  readonly total: number;
  readonly correct: number;
  readonly wrong: number;
  readonly errors: number;
  /** In percent, of the cases that were answered: an error is no answer. */
  readonly accuracy: number;
  readonly elapsedMs: number;
  readonly costMicrodollars: number;
  readonly results: readonly RouteCaseResult[];
}

/** The labelled set that comes with the repository. */
export function labelledCases(): readonly RouteCase[] {
  const file = readFileSync(new URL("cases.json", import.meta.url), "utf8");
  return fromWire(JSON.parse(file)) as readonly RouteCase[];
}

/** Asks `route` about every case, all at once: the pool's slots set the pace. */
export async function tryRoutes(
  route: (prompt: string, options: RouteOptions) => Promise<RouteAnswer>,
  cases: readonly RouteCase[],
  options: RouteOptions = {},
  onResult: (result: RouteCaseResult) => void = () => undefined,
): Promise<RouteSummary> {
  const start = performance.now();
  const results = await Promise.all(
    cases.map(async (one) => {
      const result = await tryRoute(route, one, options);
      onResult(result);
      return result;
    }),
  );
  const errors = results.filter((result) => result.error !== undefined).length;
  const correct = results.filter((result) => result.pass).length;
  const answered = results.length - errors;
  return {
    total: results.length,
    correct,
    wrong: answered - correct,
    errors,
    accuracy: answered === 0 ? 0 : Math.round((correct / answered) * 1_000) / 10,
    elapsedMs: Math.round(performance.now() - start),
    costMicrodollars: results.reduce((sum, result) => sum + result.costMicrodollars, 0),
    results,
  };
}

async function tryRoute(
  route: (prompt: string, options: RouteOptions) => Promise<RouteAnswer>,
  one: RouteCase,
  options: RouteOptions,
): Promise<RouteCaseResult> {
  const start = performance.now();
  const elapsedMs = (): number => Math.round(performance.now() - start);
  try {
    const answer = await route(one.prompt, { ...options, ...(one.hints === undefined ? {} : { hints: one.hints }) });
    return {
      ...one,
      got: answer.route,
      parts: partsOf(answer),
      ...(answer.reason === undefined ? {} : { reason: answer.reason }),
      pass: one.expected.includes(answer.route),
      elapsedMs: elapsedMs(),
      costMicrodollars: answer.costMicrodollars,
    };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { ...one, pass: false, error: text, elapsedMs: elapsedMs(), costMicrodollars: 0 };
  }
}

function partsOf(answer: RouteAnswer): number {
  switch (answer.route) {
    case "single":
      return 1;
    case "parallel":
      return answer.prompts.length;
    case "chain":
      return answer.steps.length;
  }
}
