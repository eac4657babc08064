/**
 * Webhooks: addresses that are told when something of the pool is over.
 *
 * The names are the original's, with those that it lacked; one event of the log makes at most one delivery to each address,
 * and the delivery's id is made of both, so that whoever receives it twice can tell.
 */
import type { PoolEvent } from "./events.ts";
import type { MergeState } from "./merge.ts";
import type { TaskState } from "./task.ts";

export const webhookEvents = [
  "task_completed",
  "task_failed",
  "task_cancelled",
  "task_pending_review",
  "chain_completed",
  "chain_failed",
  "chain_cancelled",
  "merge_completed",
  "merge_failed",
  "request_opened",
  "drain_completed",
  "budget_exhausted",
] as const;
export type WebhookEvent = (typeof webhookEvents)[number];

/** What is asked for: an address, and of what it is told. */
export interface WebhookSpec {
  /** `https://…` or `http://…`. */
  readonly url: string;
  /** Empty or absent: all. */
  readonly events?: readonly WebhookEvent[];
  /** Whether the address may be a loopback or private one. Default false. */
  readonly allowPrivate?: boolean;
}

export interface NewWebhook extends Required<WebhookSpec> {
  readonly id: string;
  /** `whsec_` and the key in base64, as Standard Webhooks has it. */
  readonly secret: string;
}

/** A webhook as lists show it: without its secret. */
export interface WebhookRecord extends Required<WebhookSpec> {
  readonly id: string;
  readonly createdAtMs: number;
  /** Deliveries that wait for their time. */
  readonly pending: number;
  readonly delivered: number;
  /** Deliveries that were given up. */
  readonly failed: number;
  readonly lastError?: string;
  readonly lastAttemptAtMs?: number;
}

/** A delivery that is due. */
export interface Delivery {
  /** Also the `webhook-id` header: the same at every attempt. */
  readonly id: string;
  readonly webhook: Pick<NewWebhook, "id" | "url" | "secret" | "allowPrivate">;
  readonly payload: string;
  /** Attempts so far. */
  readonly attempts: number;
}

/** How one attempt ended; without an error it was delivered. `retryAtMs` absent after a failure: it is given up. */
export interface Attempt {
  readonly deliveryId: string;
  readonly error?: string;
  readonly retryAtMs?: number;
}

/** What an event of the log says to every webhook that wants its kind. */
export interface Notice {
  readonly seq: number;
  readonly event: WebhookEvent;
  readonly payload: string;
}

/** How a test delivery ended, which counts nowhere. */
export interface WebhookTest {
  readonly delivered: boolean;
  readonly status?: number;
  readonly error?: string;
  readonly elapsedMs: number;
}

/** What an event of the log is to webhooks, if anything. */
export function webhookEventOf(event: PoolEvent): WebhookEvent | undefined {
  switch (event.type) {
    case "task.finished":
      // In review for no reviewer: the merge that completes it tells how that ended.
      if (event.data.mergeId !== undefined) return undefined;
      return finishedName(event.taskId?.startsWith("chain-") === true, event.data.state);
    case "merge.ended":
      return mergeName(event.data.state);
    case "permission.requested":
    case "question.asked":
      return "request_opened";
    case "pool.drained":
      return "drain_completed";
    case "budget.exhausted":
      return "budget_exhausted";
    default:
      return undefined;
  }
}

/** Whoever takes a merge out of the queue knows of it. */
function mergeName(state: MergeState): WebhookEvent | undefined {
  if (state === "merged") return "merge_completed";
  return state === "conflict" || state === "checks_failed" || state === "failed" ? "merge_failed" : undefined;
}

function finishedName(isChain: boolean, state: TaskState): WebhookEvent | undefined {
  switch (state) {
    case "completed":
      return isChain ? "chain_completed" : "task_completed";
    case "failed":
      return isChain ? "chain_failed" : "task_failed";
    case "cancelled":
      return isChain ? "chain_cancelled" : "task_cancelled";
    case "pending_review":
      return "task_pending_review";
    case "pending":
    case "running":
      return undefined;
  }
}

/** Seconds before the second attempt, the third, …; after the last one it is given up. As Standard Webhooks proposes. */
const retryDelaysSecs = [5, 30, 120, 600, 1_800, 7_200, 28_800, 86_400] as const;

/** When the next attempt is due after so many have failed; undefined: there is none. `jitter` is from 0 to 1. */
export function retryAtMs(attempts: number, nowMs: number, jitter: number): number | undefined {
  const delay = retryDelaysSecs[attempts - 1];
  return delay === undefined ? undefined : nowMs + Math.round(delay * 1_000 * (0.8 + 0.4 * jitter));
}
