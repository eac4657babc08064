/**
 * What holds the whole queue back beyond the budget: the account's usage limit, and an API that is overloaded.
 *
 * N1. The first rejection parks the whole pool until the reset it names; later ones only move that time.
 * N2. After the reset one run goes first (the probe); what it learns opens the pool step by step, or parks it again.
 * N3. An overloaded API lowers the number of running tasks; quiet time raises it one by one.
 *
 * The state is one JSON value of the pool's row, changed in the transaction that leases or commits, so all hosts share it.
 */

export interface GovernorState {
  /** Parked: nothing is leased before this time (milliseconds since the epoch). */
  readonly parkedUntilMs?: number;
  readonly limitType?: string;
  /** The run that was let through first after the reset. */
  readonly probeRunId?: string;
  /** How many may run at once while the pool opens again or the API is overloaded; absent: no bound. */
  readonly ceiling?: number;
  /** When the ceiling was last moved. */
  readonly ceilingSinceMs?: number;
  /** Last known use of the window, 0 to 1, and when it was heard. */
  readonly utilization?: number;
  readonly utilizationAtMs?: number;
  /** When the window of that figure resets. */
  readonly windowResetsAtMs?: number;
  readonly lastLeaseAtMs?: number;
}

export interface GovernorSettings {
  /** Share of the usage window kept for the user's own terminal, 0 to 1; dispatch slows when the rest is used. */
  readonly limitReserve: number;
  /** Quiet time after which one more task may run at once. */
  readonly rampStepMs: number;
}

export const defaultGovernor: GovernorSettings = { limitReserve: 0, rampStepMs: 5_000 };

/** Between two leases when the window's free share is used up, in milliseconds. */
const slowLeaseMs = 60_000;

/** How many more tasks may be leased now, with the reason and end of the bound if there is one. */
export interface Allowance {
  readonly count: number;
  readonly reason?: "limit" | "overload" | "reserve";
  readonly untilMs?: number;
}

/** N1, N2, N3 as one number. `running` is of the whole pool. */
export function allowance(state: GovernorState, running: number, nowMs: number, settings: GovernorSettings): Allowance {
  if (state.parkedUntilMs !== undefined) {
    if (nowMs < state.parkedUntilMs) return { count: 0, reason: "limit", untilMs: state.parkedUntilMs };
    if (state.probeRunId !== undefined) return { count: 0, reason: "limit" };
    return { count: 1, reason: "limit" };
  }
  const reserved = reserveBound(state, nowMs, settings);
  if (reserved !== undefined) return reserved;
  if (state.ceiling === undefined) return { count: Number.MAX_SAFE_INTEGER };
  const untilMs = (state.ceilingSinceMs ?? nowMs) + settings.rampStepMs;
  return { count: Math.max(0, state.ceiling - running), reason: "overload", untilMs };
}

/** After a lease: the probe is known by its run. */
export function leasedUnder(state: GovernorState, runId: string, nowMs: number): GovernorState {
  if (state.parkedUntilMs !== undefined && state.probeRunId === undefined) {
    return { ...state, probeRunId: runId, lastLeaseAtMs: nowMs };
  }
  return state.utilization === undefined ? state : { ...state, lastLeaseAtMs: nowMs };
}

/** A run met the usage limit (N1). */
export function parked(
  state: GovernorState,
  resetsAtMs: number,
  limitType: string | undefined,
  nowMs: number,
): GovernorState {
  const { probeRunId: _probe, ceiling: _ceiling, ceilingSinceMs: _since, limitType: _type, ...rest } = state;
  return {
    ...rest,
    // A limit that names a time already over is asked again soon, not at once and not for ever.
    parkedUntilMs: Math.max(resetsAtMs, state.parkedUntilMs ?? 0, nowMs + 1_000),
    ...(limitType === undefined ? {} : { limitType }),
  };
}

/** A run ended otherwise: if it was the probe, the pool opens with two at once, and the ramp goes on from there (N2). */
export function ended(state: GovernorState, runId: string, nowMs: number): GovernorState {
  if (state.probeRunId !== runId) return state;
  const { parkedUntilMs: _until, limitType: _type, probeRunId: _probe, ...rest } = state;
  return { ...rest, ceiling: 2, ceilingSinceMs: nowMs };
}

/** The API answered 429 or 529 (N3): half of what runs, at least one. */
export function overloaded(state: GovernorState, running: number, nowMs: number): GovernorState {
  const recently = state.ceilingSinceMs !== undefined && nowMs - state.ceilingSinceMs < 1_000;
  if (recently) return state; // one wave of answers lowers it once
  return {
    ...state,
    ceiling: Math.max(1, Math.floor(Math.min(running, state.ceiling ?? running) / 2)),
    ceilingSinceMs: nowMs,
  };
}

/** Time passes: after each quiet step one more may run; the bound ends when it is above all slots there are. */
export function relaxed(state: GovernorState, slots: number, nowMs: number, settings: GovernorSettings): GovernorState {
  if (state.ceiling === undefined || state.ceilingSinceMs === undefined) return state;
  const steps = Math.floor((nowMs - state.ceilingSinceMs) / settings.rampStepMs);
  if (steps <= 0) return state;
  const ceiling = state.ceiling + steps;
  const { ceiling: _ceiling, ceilingSinceMs, ...rest } = state;
  return ceiling >= slots ? rest : { ...rest, ceiling, ceilingSinceMs: ceilingSinceMs + steps * settings.rampStepMs };
}

/** What a subscription says of its window with each answer. */
export function utilized(
  state: GovernorState,
  utilization: number,
  resetsAtMs: number | undefined,
  nowMs: number,
): GovernorState {
  const { windowResetsAtMs: _old, ...rest } = state;
  return {
    ...rest,
    utilization,
    utilizationAtMs: nowMs,
    ...(resetsAtMs === undefined ? {} : { windowResetsAtMs: resetsAtMs }),
  };
}

function reserveBound(state: GovernorState, nowMs: number, settings: GovernorSettings): Allowance | undefined {
  if (settings.limitReserve <= 0 || (state.utilization ?? 0) < 1 - settings.limitReserve) return undefined;
  if (state.windowResetsAtMs !== undefined && nowMs >= state.windowResetsAtMs) return undefined;
  const untilMs = (state.lastLeaseAtMs ?? 0) + slowLeaseMs;
  return nowMs >= untilMs ? { count: 1, reason: "reserve" } : { count: 0, reason: "reserve", untilMs };
}
