/** What a task's next attempt is told of those before it, and whether there is a next one at all. */
import type { EndReason } from "./outcome.ts";
import type { TaskRecord } from "./task.ts";

/** What a task keeps of its earlier attempts. */
export interface TaskPlan {
  readonly retries?: number;
  readonly retryDelayMs?: number;
  readonly recoveryPrompt?: string;
  /** What the retries used so far have failed with, the last one. */
  readonly lastError?: string;
  /** The recovery prompt, filled, is what runs now. */
  readonly recovering?: boolean;
  /** Every rejection's feedback, oldest first. */
  readonly feedback?: readonly string[];
  /** The answer that was rejected last. */
  readonly rejectedOutput?: string;
  /** Where it goes on after a rejection; default `fresh`. */
  readonly afterRejection?: "fresh" | "continue";
  /** It was rejected and goes on in the conversation of the answer that was. */
  readonly keepsConversation?: boolean;
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

/** May a task that ended so be tried again? */
export function canHeal(reason: EndReason | undefined): boolean {
  return reason === undefined || !hopeless.includes(reason);
}

/** The most of an earlier answer or error that the next attempt is shown, in characters. */
const maxShown = 20_000;

/** The prompt of a task's attempt: its own words, and what came of the attempts before. */
export function attemptPrompt(task: Pick<TaskRecord, "prompt" | "plan" | "maxRejections">): string {
  const plan = task.plan ?? {};
  if (plan.recovering === true) return plan.recoveryPrompt ?? task.prompt;
  if (plan.feedback !== undefined && plan.feedback.length > 0) return rejectedPrompt(task, plan.feedback, plan);
  if (plan.lastError === undefined) return task.prompt;
  return `${task.prompt}\n\n--- The attempt before this one failed ---\n${shown(plan.lastError)}`;
}

function rejectedPrompt(
  task: Pick<TaskRecord, "prompt" | "maxRejections">,
  feedback: readonly string[],
  plan: TaskPlan,
): string {
  const all = feedback.map(
    (text, index) => `--- Rejection feedback (attempt ${String(index + 1)}/${String(task.maxRejections)}) ---\n${text}`,
  );
  if (plan.keepsConversation === true) return all.at(-1) ?? task.prompt;
  const earlier =
    plan.rejectedOutput === undefined ? [] : [`--- The answer that was rejected ---\n${shown(plan.rejectedOutput)}`];
  return [task.prompt, ...earlier, ...all].join("\n\n");
}

function shown(text: string): string {
  return text.length <= maxShown ? text : `${text.slice(0, maxShown)}\n[cut]`;
}
