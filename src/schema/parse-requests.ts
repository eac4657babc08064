/** The edge of the smaller requests: messages, the supervisor, routing. */
import { z } from "zod";
import type { MessageSpec, SupervisorOptions } from "../core/api.ts";
import { routePreferences, type AutoOptions, type RouteHints, type RouteOptions, type WorkOptions } from "../core/route.ts";
import type { Casing } from "./casing.ts";
import { overrideFields, taskSpecSchema, type Fields } from "./fields.ts";
import { parse } from "./parse.ts";
import { listOf, milliseconds, modelName, oneOf, promptText, seconds, text, wholeAtLeast } from "./values.ts";

const party = text("a slot's id, or coordinator", 200);
const messageFields = {
  from: party.optional(),
  to: party,
  content: z.string({ error: "text" }),
} satisfies Fields<MessageSpec>;
export const messageSchema = z.strictObject(messageFields, { error: "an object with `to` and `content`" });
export const broadcastSchema = z.strictObject(
  { from: messageFields.from, content: messageFields.content },
  { error: "an object with `content`" },
);

const supervisorSchema = z.strictObject({ intervalSecs: seconds().optional() } satisfies Fields<SupervisorOptions>, {
  error: "an object of options",
});

/** A figure that people would not count to is a slip of the keyboard. */
const parts = wholeAtLeast(1).max(100, { error: "at most 100" });
const hintFields = {
  maxParallel: parts.optional(),
  maxChainSteps: parts.optional(),
  prefer: oneOf(routePreferences).optional(),
  domain: text("text that is not empty", 1_000).optional(),
  decompositionHints: listOf(text("text that is not empty", 1_000), "a list of hints").max(64, { error: "at most 64" }).optional(),
} satisfies Fields<RouteHints>;

const routeFields = {
  hints: z.strictObject(hintFields, { error: "an object of hints" }).optional(),
  model: modelName.optional(),
  customPrompt: text().optional(),
  timeoutMs: milliseconds(1).optional(),
  signal: z.custom<AbortSignal>((value) => value instanceof AbortSignal, { error: "an AbortSignal" }).optional(),
} satisfies Fields<RouteOptions>;
export const routeSchema = z.strictObject(routeFields, { error: "an object of options" });
const workFields = {
  ...overrideFields,
  ...z.strictObject(taskSpecSchema.shape).pick({
    priority: true,
    tags: true,
    cwd: true,
    timeoutMs: true,
    retries: true,
    retryDelayMs: true,
  }).shape,
} satisfies Fields<WorkOptions>;
export const autoSchema = z.strictObject(
  {
    ...routeFields,
    task: z.strictObject(workFields, { error: "an object of a task's options" }).optional(),
    onRoute: z
      .custom<NonNullable<AutoOptions["onRoute"]>>((value) => typeof value === "function", { error: "a function" })
      .optional(),
  } satisfies Fields<AutoOptions>,
  { error: "an object of options" },
);

const askedSchema = z.strictObject({ prompt: promptText });

/** @throws {PoolError} `invalid_options`. */
export function parseMessage(input: unknown, casing: Casing = "library"): MessageSpec {
  return parse<MessageSpec>(messageSchema, input, casing);
}

/** @throws {PoolError} `invalid_options`. */
export function parseBroadcast(input: unknown, casing: Casing = "library"): Omit<MessageSpec, "to"> {
  return parse<Omit<MessageSpec, "to">>(broadcastSchema, input, casing);
}

/** @throws {PoolError} `invalid_options`. */
export function parseSupervisorOptions(input: unknown, casing: Casing = "library"): SupervisorOptions {
  return parse<SupervisorOptions>(supervisorSchema, input, casing);
}

/** @throws {PoolError} `invalid_options`. */
export function parseRouteOptions(input: unknown, casing: Casing = "library"): RouteOptions {
  return parse<RouteOptions>(routeSchema, input, casing);
}

/** @throws {PoolError} `invalid_options`. */
export function parseAutoOptions(input: unknown, casing: Casing = "library"): AutoOptions {
  return parse<AutoOptions>(autoSchema, input, casing);
}

/** The text that is to be routed. @throws {PoolError} `invalid_options`. */
export function parsePrompt(input: unknown): string {
  return parse<{ readonly prompt: string }>(askedSchema, { prompt: input }, "library").prompt;
}
