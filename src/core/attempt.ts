/** What a task's next attempt is told of those before it, and whether there is a next one at all. */
import { defined } from "./config.ts";
import type { EndReason } from "./outcome.ts";
import type { TaskRecord, TaskResult } from "./task.ts";
import type { WorkspaceStart } from "./workspace.ts";

/** What a task keeps of its earlier attempts. */
export interface TaskPlan {
  readonly retries?: number;
  readonly retryDelayMs?: number;
  /** The retries that were used before the last rejection: an attempt with feedback has all of its own. */
  readonly retriesBefore?: number;
  /** A chain's step: it has a recovery prompt; once it is needed, that prompt, filled. */
  readonly recoveryPrompt?: string;
  /** What the retries used so far have failed with, the last one. */
  readonly lastError?: string;
  /** The recovery prompt, filled, is what runs now. */
  readonly recovering?: boolean;
  /** Where it goes on after a rejection; default `fresh`. */
  readonly afterRejection?: "fresh" | "continue";
  /** It was rejected, or its checks failed, and it goes on in the conversation of the answer that did. */
  readonly keepsConversation?: boolean;
  /** Every rejection's feedback, oldest first. */
  readonly feedback?: readonly string[];
  /** The answer that was rejected last. */
  readonly rejectedOutput?: string;
  /** How often its checks have sent it back since its last answer that passed them. */
  readonly checkFailures?: number;
  /** The conversation to go on in, where it is not that of its stored result. */
  readonly conversationId?: string;
  /** Where its next attempt in a workspace begins; default with what the ones before left there, if there were any. */
  readonly start?: WorkspaceStart;
  /** The branch that its next attempt finds merged into its directory, with the conflicts in the files. */
  readonly mergeIn?: string;
}

/** Endings that another attempt cannot change: money, permission, a request that is wrong in itself. */
const hopeless: readonly EndReason[] = [
  "budget",
  "permission",
  "refused",
  "prompt_too_long",
  "cancelled",
  "shutdown",
  "no_slot_available",
  "launch",
  "rejected",
];

/** Of those, the ones that another prompt cannot change either. */
const beyondRecovery: readonly EndReason[] = [
  "budget",
  "cancelled",
  "shutdown",
  "no_slot_available",
  "launch",
  "rejected",
];

/** The statuses below 500 with which the API says "later" and not "never". */
const passing: readonly number[] = [408, 409, 425, 429];

/** May a task that ended so be tried again? */
export function canHeal(result: Pick<TaskResult, "reason" | "apiStatus">): boolean {
  return !hopeless.includes(result.reason ?? "error") && !isWrongRequest(result);
}

/** What comes after an attempt that failed. */
export interface NextAttempt {
  readonly plan: TaskPlan;
  readonly delayMs: number;
  readonly recovering: boolean;
}

/** The longest that a retry waits, in milliseconds: the delay doubles with each. */
const longestDelayMs = 3_600_000;

/** The attempt that follows a failed one; undefined: none, the task has failed for good. */
export function nextAttempt(
  task: Pick<TaskRecord, "plan" | "retryCount" | "cancelRequestedAtMs" | "workspace">,
  result: Pick<TaskResult, "reason" | "error" | "apiStatus" | "output">,
): NextAttempt | undefined {
  const plan = task.plan ?? {};
  if (task.cancelRequestedAtMs !== undefined || plan.recovering === true) return undefined;
  const lastError = result.error ?? result.reason ?? result.output;
  const used = task.retryCount - (plan.retriesBefore ?? 0);
  const anew = begunAnew(plan, task.workspace !== undefined);
  if (canHeal(result) && used < (plan.retries ?? 0)) {
    const delayMs = Math.min((plan.retryDelayMs ?? 0) * 2 ** used, longestDelayMs);
    return { plan: { ...anew, lastError }, delayMs, recovering: false };
  }
  if (plan.recoveryPrompt === undefined || beyondRecovery.includes(result.reason ?? "error")) return undefined;
  return isWrongRequest(result)
    ? undefined
    : { plan: { ...anew, lastError, recovering: true }, delayMs: 0, recovering: true };
}

/**
 * What of a plan a try after a failure keeps: it begins from the base, except that work which a reviewer or a merge sent
 * back is gone on with, since the feedback speaks of it.
 */
function begunAnew(plan: TaskPlan, isIsolated: boolean): TaskPlan {
  const { checkFailures, start, mergeIn: _merged, keepsConversation, conversationId, ...rest } = plan;
  if (start === "saved" && (plan.feedback ?? []).length > 0) {
    const { checkFailures: _over, ...kept } = plan;
    return kept;
  }
  return defined<TaskPlan>({
    ...rest,
    start: isIsolated ? "base" : undefined,
    // Of a check round: what was said in it is no more true of the directory.
    keepsConversation: checkFailures === undefined ? keepsConversation : undefined,
    conversationId: checkFailures === undefined ? conversationId : undefined,
  });
}

/** The plan of a task whose failed checks go back to it; undefined: they have done so often enough, or did not fail. */
export function nextCheckRound(
  task: Pick<TaskRecord, "plan" | "cancelRequestedAtMs">,
  result: Pick<TaskResult, "reason" | "error" | "sessionId">,
  checkRetries: number,
): TaskPlan | undefined {
  const { mergeIn: _merged, ...plan } = task.plan ?? {};
  const failures = plan.checkFailures ?? 0;
  if (result.reason !== "checks" || task.cancelRequestedAtMs !== undefined || failures >= checkRetries)
    return undefined;
  return defined<TaskPlan>({
    ...plan,
    checkFailures: failures + 1,
    lastError: result.error ?? "The checks failed.",
    start: "saved",
    keepsConversation: result.sessionId === undefined ? undefined : true,
    conversationId: result.sessionId,
  });
}

/** How a task that was rejected begins again in a workspace. */
export interface Restart {
  readonly start: WorkspaceStart;
  /** A branch that it finds merged into its directory. */
  readonly mergeIn?: string;
}

/** The plan of a task that was rejected with this feedback. */
export function planAfterRejection(
  task: Pick<TaskRecord, "plan" | "result" | "retryCount" | "workspace">,
  feedback: string,
  restart: Restart = { start: "saved" },
): TaskPlan {
  const { checkFailures: _failures, conversationId: _conversation, ...plan } = task.plan ?? {};
  return defined<TaskPlan>({
    ...plan,
    start: task.workspace === undefined ? undefined : restart.start,
    mergeIn: restart.mergeIn,
    // What went wrong before the answer that was rejected is no news; what it recovered from stays on record.
    lastError: plan.recovering === true ? plan.lastError : undefined,
    retriesBefore: task.retryCount === 0 ? undefined : task.retryCount,
    feedback: [...(plan.feedback ?? []), feedback],
    rejectedOutput: task.result?.output,
    keepsConversation: plan.afterRejection === "continue" && task.result?.sessionId !== undefined ? true : undefined,
  });
}

/** The task as an attempt goes at it that goes on in no conversation: that of before speaks of another directory. */
export function withoutConversation(task: TaskRecord): TaskRecord {
  const { resumeSessionId: _crashed, plan, ...rest } = task;
  if (plan === undefined) return rest;
  const { keepsConversation: _kept, conversationId: _named, ...fresh } = plan;
  return { ...rest, plan: fresh };
}

/** The most of an earlier answer or error that the next attempt is shown, in characters. */
const maxShown = 20_000;

/** The prompt of a task's attempt: its own words, and what came of the attempts before. */
export function attemptPrompt(task: Pick<TaskRecord, "prompt" | "plan" | "maxRejections">): string {
  const plan = task.plan ?? {};
  const isCheckRound = plan.checkFailures !== undefined;
  const own = plan.recovering === true ? (plan.recoveryPrompt ?? task.prompt) : task.prompt;
  const failure =
    plan.lastError === undefined || (plan.recovering === true && !isCheckRound)
      ? []
      : [`--- The attempt before this one failed ---\n${shown(plan.lastError)}`];
  const feedback = (plan.feedback ?? []).map(
    (text, index) => `--- Rejection feedback (attempt ${String(index + 1)}/${String(task.maxRejections)}) ---\n${text}`,
  );
  // In the same conversation the model knows its prompt, its answer, and what it was told of that.
  if (plan.keepsConversation === true && isCheckRound) return shown(plan.lastError ?? "");
  if (plan.keepsConversation === true) return [...feedback.slice(-1), ...failure].join("\n\n");
  const earlier =
    plan.rejectedOutput === undefined ? [] : [`--- The answer that was rejected ---\n${shown(plan.rejectedOutput)}`];
  return [own, ...earlier, ...feedback, ...failure].join("\n\n");
}

function isWrongRequest({ reason, apiStatus }: Pick<TaskResult, "reason" | "apiStatus">): boolean {
  return (
    reason === "api" && apiStatus !== undefined && apiStatus >= 400 && apiStatus < 500 && !passing.includes(apiStatus)
  );
}

function shown(text: string): string {
  return text.length <= maxShown ? text : `${text.slice(0, maxShown)}\n[cut]`;
}
