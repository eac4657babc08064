/** Routing: is a task one piece of work, several independent ones, or a sequence? */
import type { ChainResult } from "./chain.ts";
import type { Settled } from "./api.ts";
import type { JsonObject, TaskResult } from "./task.ts";

export const routePreferences = ["prefer_single", "prefer_parallel", "prefer_chain"] as const;
export type RoutePreference = (typeof routePreferences)[number];

export interface RouteHints {
  readonly maxParallel?: number;
  readonly maxChainSteps?: number;
  readonly prefer?: RoutePreference;
  readonly domain?: string;
  readonly decompositionHints?: readonly string[];
}

export interface RouteOptions {
  readonly hints?: RouteHints;
  /** Default `haiku`: to sort is cheap work. */
  readonly model?: string;
  /** Replaces the built-in instructions. */
  readonly customPrompt?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** What the router decided; a single task keeps its own words. */
export type Route =
  | { readonly route: "single"; readonly prompt: string }
  | { readonly route: "parallel"; readonly prompts: readonly string[] }
  | { readonly route: "chain"; readonly steps: readonly { readonly name: string; readonly prompt: string }[] };

export type RouteAnswer = Route & { readonly costMicrodollars: number; readonly taskId: string };

/** What `auto` did: the route, and what came of it. */
export type AutoResult = { readonly output: string; readonly costMicrodollars: number } & (
  | { readonly route: "single"; readonly result: TaskResult }
  | { readonly route: "parallel"; readonly results: readonly Settled[] }
  | { readonly route: "chain"; readonly result: ChainResult }
);

/** The most parts a routed task may have when the hints say nothing. */
export const defaultMaxParts = 6;

export type RouteSchema = JsonObject;
