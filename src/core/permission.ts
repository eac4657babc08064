/**
 * What a running task asks of whoever coordinates it: may this tool be used, or a question in words.
 *
 * A1. A request belongs to one run. The end of the run, however it comes, closes it; an answer after that is refused.
 * A2. A request is answered once. Whoever answers first decides, and others are told what was decided.
 * A3. Its tool input is a model's text: it is kept bounded, and every surface shows it as data.
 */
import { defined } from "./config.ts";
import { invalidOptions, PoolError } from "./errors.ts";
import { checkRule, type Decision, narrowestRule, ruleCovers, type ToolCall } from "./permission-rule.ts";
import type { Json, JsonObject } from "./task.ts";

export type RequestKind = "permission" | "question";

/** `closed`: its run ended before anybody answered. */
export const requestStates = ["open", "allowed", "denied", "answered", "closed"] as const;
export type RequestState = (typeof requestStates)[number];

/** Who gave the answer; `end`: the run that asked is over. */
export type AnsweredBy = "hand" | "rule" | "timeout" | "end";

/** A running task that waits for an answer. Times in milliseconds since the epoch. */
export interface PoolRequest {
  readonly id: string;
  readonly kind: RequestKind;
  readonly state: RequestState;
  readonly taskId: string;
  readonly runId: string;
  readonly slotId: string;
  /** The directory that the task works in. */
  readonly cwd: string;
  /** Of a permission: the tool that is to be used. */
  readonly tool?: string;
  /** What the tool is to be used with; long texts in it are cut, which `inputTruncated` says. */
  readonly toolInput?: JsonObject;
  readonly inputTruncated?: boolean;
  /** Why Claude asks, in its own words. */
  readonly reason?: string;
  /** Claude's own safety check asks: each time anew, whatever rules there are. */
  readonly isSensitive?: boolean;
  /** It reaches beyond the directories that the task works in. */
  readonly isOutside?: boolean;
  readonly question?: string;
  readonly askedAtMs: number;
  /** Unanswered until then, it is denied. */
  readonly expiresAtMs?: number;
  readonly answeredAtMs?: number;
  readonly answeredBy?: AnsweredBy;
  /** What the model is told: why it was denied, or the answer to its question. */
  readonly message?: string;
  /** The rule that answered, or that came with the answer. */
  readonly ruleId?: string;
}

/** A request before it is written. The input is whole: rules look at all of it. */
export interface NewRequest {
  readonly id: string;
  readonly kind: RequestKind;
  readonly taskId: string;
  readonly runId: string;
  readonly slotId: string;
  readonly cwd: string;
  readonly tool?: string;
  readonly toolInput?: JsonObject;
  readonly reason?: string;
  readonly isSensitive?: boolean;
  readonly isOutside?: boolean;
  readonly question?: string;
  readonly expiresAtMs?: number;
}

/** An answer that counts for later calls too, kept in the store until it is revoked. */
export interface PermissionRule {
  readonly id: string;
  readonly rule: string;
  readonly decision: Decision;
  readonly createdAtMs: number;
  /** The request that it was given with; absent for one that was added by itself. */
  readonly requestId?: string;
}

/** The answer to a permission request. */
export interface PermissionAnswer {
  readonly decision: Decision;
  /** Reaches the model with a denial. At most 2,000 characters. */
  readonly message?: string;
  /** Also answer later calls like this one: `true` for exactly this call, or a rule such as `Bash(npm test:*)`. */
  readonly always?: true | string;
}

/** What a worker says of its own progress; `percent` from 0 to 100. */
export interface WorkerProgress {
  readonly taskId: string;
  readonly runId: string;
  readonly slotId: string;
  readonly text: string;
  readonly percent?: number;
}

/** What is written when a request is answered. */
export interface RequestAnswer {
  readonly by: AnsweredBy;
  readonly decision?: Decision;
  readonly message?: string;
  /** A checked rule to be kept. */
  readonly rule?: string;
}

/** The longest message with a denial, and the longest question, in characters. */
export const maxAnswerCharacters = 2_000;
/** The longest answer to a question, in characters. */
export const maxReplyCharacters = 16_000;
const keptAtHead = 6_000;
const keptAtTail = 2_000;
const keptInAll = 32_000;

/** The tool call that a request is about; undefined: it is a question, or its input was cut and says no longer what is to be run. */
export function callOf(request: PoolRequest | NewRequest): ToolCall | undefined {
  const { tool, toolInput, cwd, isSensitive, isOutside } = request;
  if (tool === undefined || toolInput === undefined) return undefined;
  if ("inputTruncated" in request && request.inputTruncated) return undefined;
  return defined<ToolCall>({ tool, input: toolInput, cwd, isSensitive, isOutside });
}

/**
 * The rule that comes with an answer: the one that is named, or the narrowest that covers the call.
 *
 * @throws {PoolError} `invalid_options` for one that does not cover the call that it is given with.
 */
export function ruleOf(request: PoolRequest, always: true | string, decision: Decision): string {
  const call = callOf(request);
  if (decision === "allow" && request.isSensitive === true) {
    const why = "Claude's own safety check asks about it, which no rule can answer";
    throw invalidOptions(`rule: request ${request.id} is one for each time: ${why}. Allow it without a rule.`, "rule");
  }
  if (always !== true) {
    const rule = checkRule(always);
    // Of a call that is not known in full, only a rule for the whole tool is sure to cover it.
    if (call === undefined ? rule === request.tool : ruleCovers(rule, call, decision)) return rule;
    const text = `rule: ${JSON.stringify(rule)} does not cover the call that request ${request.id} is about, so nothing was answered.`;
    const isForOutside = call?.isOutside === true && ruleCovers(rule, { ...call, isOutside: false }, decision);
    const hint = isForOutside
      ? "The call may reach outside of the task's directories: then a rule must be this very command, or name the path as //absolute/path."
      : "Give a rule that does, or answer without one.";
    throw invalidOptions(`${text} ${hint}`, "rule");
  }
  const rule = call === undefined ? undefined : narrowestRule(call);
  if (rule !== undefined) return rule;
  throw invalidOptions(
    `rule: no pattern covers the call of request ${request.id} alone, so nothing was answered. ` +
      `Name a rule, such as ${request.tool ?? "Bash"} for every use of it, or answer without one.`,
    "rule",
  );
}

/** The input as it is kept (A3): the beginning and the end of long texts, so that nothing can hide behind much. */
export function boundedInput(input: JsonObject): { readonly toolInput: JsonObject; readonly inputTruncated?: true } {
  const cutting = { isCut: false };
  const whole = Object.fromEntries(Object.entries(input).map(([key, value]) => [key, cutValue(value, 1, cutting)]));
  const text = JSON.stringify(whole);
  if (text.length <= keptInAll) return { toolInput: whole, ...(cutting.isCut ? { inputTruncated: true } : {}) };
  return { toolInput: { input: cutText(text) }, inputTruncated: true };
}

/** Deeper than this nothing is shown. */
const deepest = 8;

function cutValue(value: Json, depth: number, cutting: { isCut: boolean }): Json {
  if (typeof value === "string") {
    if (value.length > keptAtHead + keptAtTail) cutting.isCut = true;
    return cutText(value);
  }
  if (typeof value !== "object" || value === null) return value;
  if (depth > deepest) {
    cutting.isCut = true;
    return "…";
  }
  if (Array.isArray(value)) return value.map((item: Json) => cutValue(item, depth + 1, cutting));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, cutValue(item, depth + 1, cutting)]));
}

function cutText(text: string): string {
  const left = text.length - keptAtHead - keptAtTail;
  if (left <= 0) return text.toWellFormed();
  const middle = `… ${String(left)} characters left out …`;
  return [text.slice(0, keptAtHead), middle, text.slice(-keptAtTail)].join("\n").toWellFormed();
}

/** The state that an answer leads to. */
export function answeredState(kind: RequestKind, { by, decision }: RequestAnswer): RequestState {
  if (by === "end") return "closed";
  if (kind === "question") return by === "timeout" ? "closed" : "answered";
  return decision === "allow" ? "allowed" : "denied";
}

/** @throws {PoolError} `invalid_options` for text that no answer or question can have. */
export function checkWords(text: string, field: string, max: number): string {
  const words = text.trim();
  if (words === "") throw invalidOptions(`${field}: expected text that is neither empty nor blank.`, field);
  if (!words.isWellFormed()) throw invalidOptions(`${field}: expected well-formed text (no half characters).`, field);
  if (words.length <= max) return words;
  throw invalidOptions(`${field}: at most ${String(max)} characters, this has ${String(words.length)}.`, field);
}

/** No request has this id. */
export function requestNotFound(id: string): PoolError {
  const text = `No request ${JSON.stringify(id)} in this pool. \`claude-pool requests\` shows what is open.`;
  return new PoolError("request_not_found", text, { requestId: id });
}

/** It cannot be answered any more (A1, A2). */
export function requestOver(request: Pick<PoolRequest, "id" | "state" | "answeredBy" | "taskId">): PoolError {
  const { id, state, answeredBy, taskId } = request;
  const how =
    state === "closed"
      ? `was closed: ${answeredBy === "timeout" ? "nobody answered in time" : `the run of ${taskId} that asked has ended`}`
      : `was ${state} already (by ${answeredBy ?? "somebody"})`;
  return new PoolError(
    "request_over",
    `Request ${id} ${how}; this answer changes nothing.`,
    defined({ requestId: id, state }),
  );
}

/** The run that wants something of the pool does not hold its task any more. */
export function runOver(runId: string): PoolError {
  return new PoolError("run_over", `Run ${runId} is over, or has lost its task: nothing more is done for it.`, {
    runId,
  });
}
