/** The event log: one ordered record of everything that happened, read by every surface with a cursor. */
import type { MergeState } from "./merge.ts";
import type { EndReason } from "./outcome.ts";
import type { AnsweredBy } from "./permission.ts";
import type { Decision } from "./permission-rule.ts";
import type { HoldReason, TaskState } from "./task.ts";
import type { Isolation } from "./workspace.ts";

/** Every kind of event and the fields of its `data`; one place, so that writers and readers cannot drift. */
export interface EventData {
  "task.submitted": { readonly priority: number; readonly tags: readonly string[] };
  "task.started": { readonly runId: string; readonly attempt: number };
  /** Text of the answer as it comes; bounded per run, then one event with `truncated`. */
  "task.output": { readonly runId: string; readonly text: string; readonly truncated?: boolean };
  "task.tool": { readonly runId: string; readonly tool: string; readonly summary?: string };
  /** What a worker says of its own progress. */
  "task.progress": { readonly runId: string; readonly text: string; readonly percent?: number };
  "task.held": { readonly reason: HoldReason; readonly untilMs?: number };
  "task.unheld": { readonly reason: HoldReason };
  /** Back to the queue: its run was lost or limited. */
  "task.requeued": { readonly runId: string; readonly reason: EndReason; readonly costMicrodollars: number };
  "task.cancel_requested": Record<never, never>;
  /** A terminal state or `pending_review`. */
  "task.finished": {
    readonly state: TaskState;
    readonly reason?: EndReason;
    readonly costMicrodollars: number;
    readonly elapsedMs: number;
    /** In review for no reviewer: this merge completes it. */
    readonly mergeId?: string;
  };
  "task.approved": Record<never, never>;
  "task.rejected": { readonly feedback: string; readonly rejectionCount: number };
  "task.retried": {
    readonly runId: string;
    readonly retry: number;
    readonly error: string;
    readonly recovering: boolean;
  };
  /** Its directory is made ready, with the set-up command if there is one. */
  "task.preparing": { readonly runId: string; readonly isolation: Isolation; readonly setup?: string };
  /** It works in a directory of its own from now on. */
  "task.workspace": {
    readonly runId: string;
    readonly path: string;
    readonly branch: string;
    readonly baseCommit: string;
  };
  /** Its turn is over, and these checks judge what it left. */
  "task.checking": { readonly runId: string; readonly checks: readonly string[] };
  /** Its checks were run on the tree that it left. */
  "task.checked": {
    readonly runId: string;
    readonly tree: string;
    readonly checks: readonly { readonly name: string; readonly passed: boolean }[];
  };
  /** Failed checks sent it back to the queue with their output. */
  "task.checks_failed": { readonly runId: string; readonly failures: number };
  "merge.queued": { readonly mergeId: string; readonly target: string };
  "merge.started": { readonly mergeId: string; readonly target: string };
  /** `conflicts`: the first twenty paths. */
  "merge.ended": {
    readonly mergeId: string;
    readonly target: string;
    readonly state: MergeState;
    /** What its task is now. */
    readonly taskState: TaskState;
    readonly commit?: string;
    readonly conflicts?: readonly string[];
    readonly error?: string;
  };
  "merge.undone": { readonly mergeId: string; readonly target: string };
  "chain.submitted": { readonly steps: number };
  "chain.step_started": { readonly step: string; readonly stepTaskId: string };
  "chain.step_finished": {
    readonly step: string;
    readonly stepTaskId?: string;
    readonly state: string;
    readonly costMicrodollars: number;
  };
  "message.sent": { readonly messageId: string; readonly from: string; readonly to: string };
  /** They left the inbox: somebody read them, or the run that carried them to the model (`runId`) was committed. */
  "message.read": { readonly to: string; readonly messageIds: readonly string[]; readonly runId?: string };
  /** Their recipient has stopped. */
  "message.dropped": { readonly to: string; readonly count: number };
  "permission.requested": {
    readonly requestId: string;
    readonly runId: string;
    readonly tool: string;
    readonly summary?: string;
    readonly expiresAtMs?: number;
  };
  /** Without a `requestId` a rule answered, and nobody was asked; without a `decision` the run ended before anybody answered. */
  "permission.answered": {
    readonly requestId?: string;
    readonly runId: string;
    readonly tool: string;
    readonly decision?: Decision;
    readonly by: AnsweredBy;
    readonly ruleId?: string;
    readonly summary?: string;
  };
  "permission.rule_added": { readonly ruleId: string; readonly rule: string; readonly decision: Decision };
  "permission.rule_revoked": { readonly ruleId: string; readonly rule: string; readonly decision: Decision };
  "question.asked": {
    readonly requestId: string;
    readonly runId: string;
    readonly question: string;
    readonly expiresAtMs?: number;
  };
  "question.answered": { readonly requestId: string; readonly runId: string; readonly by: AnsweredBy };
  "context.changed": { readonly key: string; readonly action: "set" | "deleted" };
  /** Of the skills that were added at run time. */
  "skill.changed": { readonly skill: string; readonly action: "added" | "removed" };
  /** The whole queue is held back, less held back, or free again (no `reason`). */
  "governor.changed": { readonly reason?: string; readonly untilMs?: number; readonly ceiling?: number };
  "slot.restarted": { readonly restartCount: number; readonly by: "hand" | "supervisor" };
  "slot.started": { readonly hostId: string };
  /** `failures` in a row; without `restartAtMs` it stays errored until it is restarted by hand. */
  "slot.errored": { readonly error: string; readonly failures?: number; readonly restartAtMs?: number };
  "slot.configured": Record<never, never>;
  "slot.draining": Record<never, never>;
  "slot.stopped": Record<never, never>;
  "host.started": { readonly hostId: string; readonly kind: string };
  "host.ended": { readonly hostId: string };
  "host.lost": { readonly hostId: string; readonly tasks: number };
  /** `auto`: by the host itself, because of what waited or was idle. */
  "host.scaled": { readonly hostId: string; readonly targetSlots: number; readonly auto?: boolean };
  /** `scope`: of a budget beside the pool's own. */
  "budget.changed": {
    readonly capMicrodollars?: number;
    readonly action: "set" | "reset" | "renewed";
    readonly scope?: string;
  };
  "budget.exhausted": { readonly spentMicrodollars: number; readonly capMicrodollars: number; readonly scope?: string };
  "pool.draining": Record<never, never>;
  /** A drain is over: nothing of the pool runs. */
  "pool.drained": {
    readonly totalCostMicrodollars: number;
    readonly totalTasksCompleted: number;
    readonly cancelledPending: number;
    readonly cancelledRunning: number;
  };
  "webhook.added": { readonly webhookId: string };
  "webhook.removed": { readonly webhookId: string };
  "pool.opened": Record<never, never>;
}

export type EventType = keyof EventData;

/** One event. `seq` rises without gaps in one pool and is the cursor; times in milliseconds since the epoch. */
export type PoolEvent = {
  [T in EventType]: {
    readonly seq: number;
    readonly atMs: number;
    readonly type: T;
    readonly taskId?: string;
    readonly slotId?: string;
    readonly data: EventData[T];
  };
}[EventType];

/** An event before it has its place in the log. */
export type NewEvent = { [T in EventType]: Omit<Extract<PoolEvent, { type: T }>, "seq" | "atMs"> }[EventType];
