/**
 * `/metrics` in Prometheus format: each figure is one that the pool maintains anyway, read when it is asked for.
 *
 * What can only rise is a counter and ends in `_total`; of this server's opening of the pool, as counters start at a restart.
 */
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { SessionMetrics } from "../core/metrics.ts";
import type { PoolStatus } from "../core/task.ts";
import type { Pool } from "../pool.ts";
import type { Limiter } from "./bounds.ts";

export interface HttpMetrics {
  readonly contentType: string;
  readonly text: () => Promise<string>;
  /** An answered request. */
  readonly answered: (route: string, method: string, status: number, elapsedMs: number) => void;
  /** A stream that ended, and why. */
  readonly streamEnded: (why: string) => void;
}

const perDollar = 1_000_000;

export function httpMetrics(pool: Pool, limiter: Limiter): HttpMetrics {
  const registry = new Registry();
  const inRegistry = { registers: [registry] };
  const requests = new Counter({
    ...inRegistry,
    name: "claude_pool_http_requests_total",
    help: "HTTP requests answered.",
    labelNames: ["route", "method", "status"] as const,
  });
  const durations = new Histogram({
    ...inRegistry,
    name: "claude_pool_http_request_duration_seconds",
    help: "Time to answer an HTTP request; waits included, streams not.",
    labelNames: ["route", "method"] as const,
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30, 120],
  });
  const streamsEnded = new Counter({
    ...inRegistry,
    name: "claude_pool_http_streams_ended_total",
    help: "Event streams that ended, by reason.",
    labelNames: ["reason"] as const,
  });
  new Gauge({
    ...inRegistry,
    name: "claude_pool_http_streams",
    help: "Event streams that are open.",
    collect() {
      this.set(limiter.streams);
    },
  });
  const read = poolFigures(registry);
  return {
    contentType: registry.contentType,
    async text() {
      const [status, session] = await Promise.all([pool.status(), pool.sessionMetrics()]);
      read(status, session);
      return registry.metrics();
    },
    answered(route, method, status, elapsedMs) {
      requests.inc({ route, method, status: String(status) });
      durations.observe({ route, method }, elapsedMs / 1_000);
    },
    streamEnded(reason) {
      streamsEnded.inc({ reason });
    },
  };
}

/** The pool's own; the function returned brings them up to what was read. */
function poolFigures(registry: Registry): (status: PoolStatus, session: SessionMetrics) => void {
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []): Gauge<L> =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> =>
    new Counter({ name, help, labelNames, registers: [registry] });
  const tasks = gauge("claude_pool_tasks", "Tasks in the store by state.", ["state"]);
  const held = gauge("claude_pool_tasks_held", "Pending tasks that wait for more than a slot.");
  const slots = gauge("claude_pool_slots", "Slots by state.", ["state"]);
  const hosts = gauge("claude_pool_hosts", "Processes that contribute slots.");
  const shutdown = gauge("claude_pool_shutdown", "1 when the pool is drained and takes no work.");
  const heldBack = gauge(
    "claude_pool_held_back",
    "1 while a limit, an overload or want of memory holds the queue back.",
  );
  const cap = gauge("claude_pool_budget_usd", "The pool's cap in dollars; absent without one.");
  const spent = gauge("claude_pool_budget_spent_usd", "Spent since the cap was set, reset or renewed, in dollars.");
  const reserved = gauge("claude_pool_budget_reserved_usd", "Reserved for running tasks, in dollars.");
  const ended = counter("claude_pool_tasks_ended_total", "Tasks that ended, by how.", ["outcome"]);
  const cost = counter("claude_pool_spend_usd_total", "Spent in the pool's whole life, in dollars.");
  const models = counter("claude_pool_model_tasks_ended_total", "Tasks that ended, by the model that answered.", [
    "model",
  ]);
  const modelCost = counter(
    "claude_pool_model_cost_usd_total",
    "Cost of the tasks that ended, by the model that answered, in dollars.",
    ["model"],
  );
  const heldBackTime = counter(
    "claude_pool_held_back_seconds_total",
    "Time for which the queue was held back, by reason.",
    ["reason"],
  );

  return (status, session) => {
    for (const [state, count] of taskStates(status)) tasks.set({ state }, count);
    for (const [state, count] of slotStates(status)) slots.set({ state }, count);
    held.set(status.heldTasks);
    hosts.set(status.hosts);
    shutdown.set(status.shutdown ? 1 : 0);
    heldBack.set(status.heldBack === undefined ? 0 : 1);
    cap.reset();
    if (status.budgetMicrodollars === undefined) cap.remove();
    else cap.set(status.budgetMicrodollars / perDollar);
    spent.set(status.budgetSpentMicrodollars / perDollar);
    reserved.set(status.reservedMicrodollars / perDollar);
    setTo(cost, {}, status.totalSpendMicrodollars / perDollar);
    setTo(ended, { outcome: "completed" }, session.completedTasks);
    setTo(ended, { outcome: "failed" }, session.failedTasks);
    setTo(ended, { outcome: "cancelled" }, session.cancelledTasks);
    models.reset();
    modelCost.reset();
    for (const { model, taskCount, totalCostMicrodollars } of session.modelBreakdown) {
      models.inc({ model }, taskCount);
      modelCost.inc({ model }, totalCostMicrodollars / perDollar);
    }
    heldBackTime.reset();
    for (const { reason, totalMs } of session.heldBack) heldBackTime.inc({ reason }, totalMs / 1_000);
  };
}

/** A counter that is kept elsewhere. */
function setTo<L extends string>(counter: Counter<L>, labels: Partial<Record<L, string>>, value: number): void {
  counter.remove(labels);
  counter.inc(labels, value);
}

function taskStates(status: PoolStatus): readonly (readonly [string, number])[] {
  return [
    ["pending", status.pendingTasks],
    ["running", status.runningTasks],
    ["pending_review", status.pendingReviewTasks],
    ["completed", status.completedTasks],
    ["failed", status.failedTasks],
    ["cancelled", status.cancelledTasks],
  ];
}

function slotStates(status: PoolStatus): readonly (readonly [string, number])[] {
  return [
    ["idle", status.idleSlots],
    ["busy", status.busySlots],
    ["errored", status.erroredSlots],
  ];
}
