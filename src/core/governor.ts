/**
 * What holds the whole queue back beyond the budget: the account's usage limit, an API that is overloaded, a share of the
 * limit that is kept for the user, and hosts without memory for another process.
 *
 * N1. The first rejection parks the whole pool until the reset it names; later ones only move that time, never nearer.
 * N2. After the reset one run goes first (the probe). Its first answer opens the pool step by step; a rejection parks it
 *     again; a probe that ends without having asked the API is given up, and the next run is the probe.
 * N3. An overloaded API lowers the number of running tasks, by as much again only once the lower number is reached; quiet
 *     time raises it one by one.
 * N4. No bound lasts for ever: each ends at a time, or with a run that is running, or with a host that is alive.
 *
 * The state is one JSON value of the pool's row, changed in the transaction that leases or commits, so all hosts share it.
 */
import { defined } from "./config.ts";

export interface GovernorState {
  /** Parked: nothing is leased before this time (milliseconds since the epoch), and then one run alone. */
  readonly parkedUntilMs?: number;
  readonly limitType?: string;
  /** The run that was let through first after the reset. */
  readonly probeRunId?: string;
  /** How many may run at once while the pool opens again or the API is overloaded; absent: no bound. */
  readonly ceiling?: number;
  readonly ceilingReason?: "limit" | "overload";
  /** Since when it has been quiet under this ceiling. */
  readonly ceilingSinceMs?: number;
  /** When an overload lowered it last. */
  readonly loweredAtMs?: number;
  /** Last known use of the window, 0 to 1, and when it was heard. */
  readonly utilization?: number;
  readonly utilizationAtMs?: number;
  /** When the window of that figure resets. */
  readonly windowResetsAtMs?: number;
  /** The last lease out of the share that is kept back. */
  readonly reserveLeaseAtMs?: number;
  /** Hosts that open no process because the machine is short of memory. */
  readonly starvedHosts?: readonly string[];
}

export interface GovernorSettings {
  /** Share of the usage window kept for the user's own terminal, 0 to 1; dispatch slows when the rest is used. */
  readonly limitReserve: number;
  /** Quiet time after which one more task may run at once, in milliseconds. */
  readonly rampStepMs: number;
}

export const heldBackReasons = ["limit", "overload", "reserve", "memory"] as const;
export type HeldBackReason = (typeof heldBackReasons)[number];

/** What holds the queue back as a whole, for people and programs to see. */
export interface HeldBack {
  readonly reason: HeldBackReason;
  /** Milliseconds since the epoch; absent: until a run or a host says otherwise. */
  readonly untilMs?: number;
  /** So many may run at once. */
  readonly ceiling?: number;
}

/** How many more tasks may be leased now, and what bounds them. */
export interface Allowance {
  readonly count: number;
  readonly heldBack?: HeldBack;
}

/** How many run at once when the pool opens after a limit. */
const firstCeiling = 2;
/** Rejections of one wave are one message. */
const waveMs = 1_000;
/** Between two leases out of the reserve while none of it is used. */
const slowLeaseMs = 60_000;
/** The longest window there is has seven days; a reset that is named later than that is a mistake (N4). */
const longestParkMs = 8 * 86_400_000;
/** A figure of use without the end of its window is believed for as long as the shortest window. */
const longestBeliefMs = 5 * 3_600_000;

/** N1, N2, N3 as one number, the smallest of all bounds. `running` is of the whole pool. */
export function allowance(state: GovernorState, running: number, nowMs: number, settings: GovernorSettings): Allowance {
  if (state.parkedUntilMs !== undefined) return parkedAllowance(state, state.parkedUntilMs, nowMs);
  const bounds: Allowance[] = [];
  if (state.ceiling !== undefined) {
    bounds.push({
      count: Math.max(0, state.ceiling - running),
      heldBack: {
        reason: state.ceilingReason ?? "overload",
        ceiling: state.ceiling,
        untilMs: (state.ceilingSinceMs ?? nowMs) + settings.rampStepMs,
      },
    });
  }
  const nextMs = nextReserveLeaseMs(state, nowMs, settings);
  if (nextMs !== undefined) {
    bounds.push({ count: nowMs >= nextMs ? 1 : 0, heldBack: { reason: "reserve", untilMs: nextMs } });
  }
  return bounds.reduce((least, bound) => (bound.count < least.count ? bound : least), {
    count: Number.MAX_SAFE_INTEGER,
  });
}

/** What holds back at this time, whether or not a task waits for it. */
export function heldBack(state: GovernorState, nowMs: number, settings: GovernorSettings): HeldBack | undefined {
  const bound = allowance(state, Number.MAX_SAFE_INTEGER, nowMs, settings).heldBack;
  if (bound !== undefined) return bound;
  return (state.starvedHosts ?? []).length > 0 ? { reason: "memory" } : undefined;
}

/** When something of the state is over by itself, in milliseconds since the epoch; undefined: nothing is. */
export function nextChangeMs(state: GovernorState, nowMs: number, settings: GovernorSettings): number | undefined {
  if (state.probeRunId !== undefined) return undefined;
  if (state.parkedUntilMs !== undefined) return state.parkedUntilMs;
  return heldBack(state, nowMs, settings)?.untilMs;
}

/** After a lease: the probe is known by its run, and what is taken out of the reserve by its time. */
export function leasedUnder(
  state: GovernorState,
  runId: string,
  nowMs: number,
  settings: GovernorSettings,
): GovernorState {
  if (state.parkedUntilMs !== undefined) return { ...state, probeRunId: runId };
  return nextReserveLeaseMs(state, nowMs, settings) === undefined ? state : { ...state, reserveLeaseAtMs: nowMs };
}

/** A run met the usage limit (N1). */
export function parked(
  state: GovernorState,
  resetsAtMs: number,
  limitType: string | undefined,
  nowMs: number,
): GovernorState {
  const { probeRunId: _probe, limitType: earlierType, ...rest } = withoutCeiling(state);
  // A limit that names a time already over is asked again soon, not at once.
  const untilMs = Math.min(Math.max(resetsAtMs, nowMs + waveMs), nowMs + longestParkMs);
  return defined<GovernorState>({
    ...rest,
    parkedUntilMs: Math.max(untilMs, state.parkedUntilMs ?? 0),
    limitType: limitType ?? earlierType,
  });
}

/** The API answered a run: if that is the probe, the pool opens, and the ramp goes on from there (N2). */
export function answered(state: GovernorState, runId: string, nowMs: number): GovernorState {
  if (state.probeRunId !== runId) return state;
  return { ...unparked(state), ceiling: firstCeiling, ceilingReason: "limit", ceilingSinceMs: nowMs };
}

/** A run is over without a word of the API: if it was the probe, another one will be (N2). */
export function gaveUp(state: GovernorState, runId: string): GovernorState {
  if (state.probeRunId !== runId) return state;
  const { probeRunId: _probe, ...rest } = state;
  return rest;
}

/** The API answered 429 or 529 (N3). */
export function overloaded(state: GovernorState, running: number, nowMs: number): GovernorState {
  if (state.parkedUntilMs !== undefined) return state;
  const isSameWave = state.loweredAtMs !== undefined && nowMs - state.loweredAtMs < waveMs;
  // Runs that are above the ceiling already go on to their end, and say nothing new.
  const isTakingEffect = state.ceiling !== undefined && running > state.ceiling;
  if (state.ceiling !== undefined && (isSameWave || isTakingEffect)) return { ...state, ceilingSinceMs: nowMs };
  const atWork = Math.min(running, state.ceiling ?? running);
  return {
    ...state,
    ceiling: Math.max(1, Math.floor(atWork / 2)),
    ceilingReason: "overload",
    ceilingSinceMs: nowMs,
    loweredAtMs: nowMs,
  };
}

/** Time passes: each quiet step lets one more run, a ceiling above all slots is none, and an old figure is forgotten. */
export function relaxed(state: GovernorState, slots: number, nowMs: number, settings: GovernorSettings): GovernorState {
  const fresh = isWindowOver(state, nowMs) ? withoutUtilization(state) : state;
  if (fresh.ceiling === undefined || fresh.ceilingSinceMs === undefined) return fresh;
  const steps = Math.floor((nowMs - fresh.ceilingSinceMs) / settings.rampStepMs);
  if (steps <= 0) return fresh;
  const ceiling = fresh.ceiling + steps;
  if (ceiling >= slots) return withoutCeiling(fresh);
  return { ...fresh, ceiling, ceilingSinceMs: fresh.ceilingSinceMs + steps * settings.rampStepMs };
}

/** What a subscription says of its window; the same figure again is news only when the last one has grown old. */
export function utilized(
  state: GovernorState,
  utilization: number,
  resetsAtMs: number | undefined,
  nowMs: number,
): GovernorState {
  const share = Math.round(Math.min(Math.max(utilization, 0), 1) * 1_000) / 1_000;
  const isKnown = state.utilization === share && state.windowResetsAtMs === resetsAtMs;
  if (isKnown && nowMs - (state.utilizationAtMs ?? 0) < slowLeaseMs) return state;
  return defined<GovernorState>({
    ...withoutUtilization(state),
    utilization: share,
    utilizationAtMs: nowMs,
    windowResetsAtMs: resetsAtMs,
    reserveLeaseAtMs: state.reserveLeaseAtMs,
  });
}

/** A host opens no process for want of memory, or does so again. */
export function starved(state: GovernorState, hostId: string, isStarved: boolean): GovernorState {
  const { starvedHosts = [], ...rest } = state;
  if (starvedHosts.includes(hostId) === isStarved) return state;
  const hosts = isStarved ? [...starvedHosts, hostId] : starvedHosts.filter((id) => id !== hostId);
  return hosts.length === 0 ? rest : { ...rest, starvedHosts: hosts };
}

/** Somebody who knows better opens the pool: no park, no ceiling, no figure of use. */
export function released(state: GovernorState): GovernorState {
  return withoutUtilization(withoutCeiling(unparked(state)));
}

function parkedAllowance(state: GovernorState, untilMs: number, nowMs: number): Allowance {
  if (nowMs < untilMs) return { count: 0, heldBack: { reason: "limit", untilMs } };
  const isProbing = state.probeRunId !== undefined;
  return { count: isProbing ? 0 : 1, heldBack: { reason: "limit", ceiling: 1 } };
}

/**
 * When the next run may be taken out of the share that is kept back; undefined: it is not touched.
 *
 * The fuller the reserve is used, the rarer: once a minute at its beginning, every two when half of it is gone.
 */
function nextReserveLeaseMs(state: GovernorState, nowMs: number, settings: GovernorSettings): number | undefined {
  const { limitReserve } = settings;
  if (limitReserve <= 0 || state.utilization === undefined || isWindowOver(state, nowMs)) return undefined;
  const left = (1 - state.utilization) / limitReserve;
  if (left > 1) return undefined;
  const intervalMs = Math.round(slowLeaseMs / Math.max(left, 0.01));
  return Math.min((state.reserveLeaseAtMs ?? 0) + intervalMs, state.windowResetsAtMs ?? Number.MAX_SAFE_INTEGER);
}

function isWindowOver(state: GovernorState, nowMs: number): boolean {
  if (state.utilization === undefined) return false;
  return nowMs >= (state.windowResetsAtMs ?? (state.utilizationAtMs ?? 0) + longestBeliefMs);
}

function unparked(state: GovernorState): GovernorState {
  const { parkedUntilMs: _until, limitType: _type, probeRunId: _probe, ...rest } = state;
  return rest;
}

function withoutCeiling(state: GovernorState): GovernorState {
  const { ceiling: _ceiling, ceilingReason: _reason, ceilingSinceMs: _since, loweredAtMs: _lowered, ...rest } = state;
  return rest;
}

function withoutUtilization(state: GovernorState): GovernorState {
  const {
    utilization: _use,
    utilizationAtMs: _at,
    windowResetsAtMs: _resets,
    reserveLeaseAtMs: _lease,
    ...rest
  } = state;
  return rest;
}
