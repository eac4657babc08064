/**
 * Routing: is a task one piece of work, several independent ones, or a sequence?
 *
 * U1. The router is an ordinary task of kind `route`; its answer is checked here, and what does not fit is an error,
 *     never quietly "single".
 * U2. The limits hold whatever the router says: what is too many is merged, so that nothing of the task is dropped.
 * U3. A single task keeps its own words.
 * U4. Only `{previous_output}` of a routed step is a placeholder; everything else that looks like one is text.
 */
import type { Settled } from "./api.ts";
import { stepName, type ChainResult } from "./chain.ts";
import { PoolError } from "./errors.ts";
import type { Json, JsonObject, TaskOverrides, TaskResult, TaskSpec } from "./task.ts";
import { escapeTemplate, parseTemplate, writtenReference, type Reference } from "./template.ts";

export const routePreferences = ["prefer_single", "prefer_parallel", "prefer_chain"] as const;
/** Which way is taken where more than one would do. */
export type RoutePreference = (typeof routePreferences)[number];

/** What the router is told of the task, and the limits that hold whatever it answers. */
export interface RouteHints {
  /** The most parts of a parallel route; default 6. */
  readonly maxParallel?: number;
  /** The most steps of a chain; default 6. */
  readonly maxChainSteps?: number;
  /** A preference, not an order. */
  readonly prefer?: RoutePreference;
  readonly domain?: string;
  /** Where the task could be cut. */
  readonly decompositionHints?: readonly string[];
}

export interface RouteOptions {
  readonly hints?: RouteHints;
  /** Default `haiku`: to sort is cheap work. */
  readonly model?: string;
  /** Replaces the built-in instructions; the limits and the shape of the answer are added to it. */
  readonly customPrompt?: string;
  /** The longest the router may take once it has a slot. Default 60,000. */
  readonly timeoutMs?: number;
  /** Ends the wait and cancels the router. */
  readonly signal?: AbortSignal;
}

/** What the router decided; a single task keeps its own words. */
export type Route =
  | { readonly route: "single"; readonly prompt: string }
  | { readonly route: "parallel"; readonly prompts: readonly string[] }
  | { readonly route: "chain"; readonly steps: readonly { readonly name: string; readonly prompt: string }[] };

/** A route, and the router's own task. */
export type RouteAnswer = Route & {
  /** Why, in the router's words. */
  readonly reason?: string;
  readonly costMicrodollars: number;
  readonly taskId: string;
};

/** What a single task, each part and each step may be told alike. */
export interface WorkOptions
  extends TaskOverrides, Pick<TaskSpec, "priority" | "tags" | "cwd" | "timeoutMs" | "retries" | "retryDelayMs"> {}

export interface AutoOptions extends RouteOptions {
  /** How what was decided is run: what `submit` takes, for each of its tasks. */
  readonly task?: WorkOptions;
  /** Called once it is decided, before anything runs. */
  readonly onRoute?: (answer: RouteAnswer) => void;
}

/** What `auto` did: the route, and what came of it. A part that failed is told here, not thrown. */
export type AutoResult = {
  readonly routing: RouteAnswer;
  readonly output: string;
  readonly success: boolean;
  /** Of the router and of everything that ran. */
  readonly costMicrodollars: number;
  /** What ran: a task, several, or a chain. */
  readonly taskIds: readonly string[];
} & (
  | { readonly route: "single"; readonly result: TaskResult }
  | { readonly route: "parallel"; readonly results: readonly Settled[] }
  | { readonly route: "chain"; readonly result: ChainResult }
);

/** The most parts a routed task may have when the hints say nothing. */
export const defaultMaxParts = 6;
/** The router's model when the options name none. */
export const defaultRouteModel = "haiku";
export const defaultRouteTimeoutMs = 60_000;

/** The shape of the router's answer, which the CLI holds its model to. */
export const routeSchema: JsonObject = {
  type: "object",
  properties: {
    route: { type: "string", enum: ["single", "parallel", "chain"] },
    prompts: { type: "array", items: { type: "string" }, description: "Only for parallel: one prompt for each part." },
    steps: {
      type: "array",
      items: {
        type: "object",
        properties: { name: { type: "string" }, prompt: { type: "string" } },
        required: ["name", "prompt"],
        additionalProperties: false,
      },
      description: "Only for chain: the steps in order.",
    },
    reason: { type: "string", description: "One short sentence." },
  },
  required: ["route", "reason"],
  additionalProperties: false,
};

/**
 * The router's answer as a route that keeps U2 to U4.
 *
 * @throws {PoolError} `route_failed` for an answer of another shape, or one without work in it.
 */
export function routeOf(answer: Json | undefined, task: string, hints: RouteHints = {}): Route {
  const { route, prompts, steps } = shapeOf(answer);
  switch (route) {
    case "single":
      return { route, prompt: task };
    case "parallel": {
      const parts = [...new Set(prompts.map((prompt) => prompt.trim()).filter((prompt) => prompt !== ""))];
      if (parts.length === 0) throw unusable("a parallel route without a single prompt");
      const merged = groups(parts, hints.maxParallel ?? defaultMaxParts).map(joined);
      return merged.length === 1 ? { route: "single", prompt: task } : { route, prompts: merged };
    }
    case "chain": {
      const present = steps.filter((step) => step.prompt.trim() !== "");
      if (present.length === 0) throw unusable("a chain without a single step");
      const merged = groups(present, hints.maxChainSteps ?? defaultMaxParts);
      return merged.length === 1 ? { route: "single", prompt: task } : { route, steps: named(merged.map(mergedStep)) };
    }
  }
}

interface Step {
  readonly name: string;
  readonly prompt: string;
}

interface Shape {
  readonly route: Route["route"];
  readonly prompts: readonly string[];
  readonly steps: readonly Step[];
}

function shapeOf(answer: Json | undefined): Shape {
  if (typeof answer !== "object" || answer === null || Array.isArray(answer)) throw unusable("no JSON object");
  const { route, prompts = [], steps = [] } = answer as Readonly<Record<string, Json>>;
  if (route !== "single" && route !== "parallel" && route !== "chain") {
    throw unusable(`the route ${JSON.stringify(route ?? null).slice(0, 40)}`);
  }
  if (!isListOf(prompts, (item) => typeof item === "string")) throw unusable("prompts that are no list of text");
  if (!isListOf(steps, isStep)) throw unusable("steps that are no list of names and prompts");
  return { route, prompts: prompts as readonly string[], steps: steps as unknown as readonly Step[] };
}

function isListOf(value: Json, isItem: (item: Json) => boolean): boolean {
  return Array.isArray(value) && (value as readonly Json[]).every(isItem);
}

function isStep(item: Json): boolean {
  if (typeof item !== "object" || item === null || Array.isArray(item)) return false;
  const { name, prompt } = item as Readonly<Record<string, Json>>;
  return typeof name === "string" && typeof prompt === "string";
}

/** At most so many groups of neighbours, as even as can be (U2). */
function groups<T>(items: readonly T[], most: number): readonly (readonly T[])[] {
  const count = Math.min(items.length, most);
  return Array.from({ length: count }, (_, index) =>
    items.slice(Math.ceil((index * items.length) / count), Math.ceil(((index + 1) * items.length) / count)),
  );
}

function joined(prompts: readonly string[]): string {
  const [only] = prompts;
  if (prompts.length === 1 && only !== undefined) return only;
  const list = prompts.map((prompt, index) => `${String(index + 1)}. ${prompt}`).join("\n\n");
  return `Do all of these, one after the other:\n\n${list}`;
}

/** Several steps as one: in it, what the step before gave is simply above. */
function mergedStep(steps: readonly Step[], place: number): Step {
  const prompts = steps.map(({ prompt }, index) => {
    if (index > 0) return filled(prompt.trim(), () => "the result of the part before");
    return place === 0 ? filled(prompt.trim(), () => "") : withPrevious(prompt.trim());
  });
  return { name: steps.map(({ name }) => name).join("-and-"), prompt: joined(prompts) };
}

/** A step that does not ask for the result before it is given it all the same: that is what the order is for. */
function withPrevious(prompt: string): string {
  const asks = parseTemplate(prompt).some((part) => typeof part !== "string" && part.kind === "previous_output");
  const text = filled(prompt, writtenReference);
  return asks ? text : `${text}\n\nThe result of the step before:\n{previous_output}`;
}

/** U4: `previous_output` becomes what `put` makes of it, every other placeholder its own text. */
function filled(prompt: string, put: (reference: Reference) => string): string {
  return parseTemplate(prompt)
    .map((part) => {
      if (typeof part === "string") return escapeTemplate(part);
      return part.kind === "previous_output" ? put(part) : escapeTemplate(writtenReference(part));
    })
    .join("");
}

/** Names that a chain takes: few signs, none twice. */
function named(steps: readonly Step[]): readonly Step[] {
  const taken = new Set<string>();
  return steps.map(({ name, prompt }, index) => {
    const plain = name
      .replaceAll(/[^A-Za-z0-9_-]+/g, "-")
      .replaceAll(/^-+|-+$/g, "")
      .slice(0, 56);
    const wanted = stepName.test(plain) ? plain : `step-${String(index + 1)}`;
    const free = taken.has(wanted) ? `${wanted}-${String(index + 1)}` : wanted;
    taken.add(free);
    return { name: free, prompt };
  });
}

function unusable(what: string): PoolError {
  return new PoolError("route_failed", `The router answered with ${what}. Try again, or run the task as it is.`);
}
