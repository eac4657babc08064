/** How many slots a host should have, by what waits and what is idle. */
import type { ScalingConfig } from "./config.ts";

/** What a host sees of its slots and of the queue. */
export interface ScalingView {
  /** How many slots it has been asked to have. */
  readonly target: number;
  /** Tasks that wait for nothing but a slot. */
  readonly waiting: number;
  /** Slots that would take work at once. */
  readonly free: number;
  /** Since when tasks have waited while no slot was free; undefined: they do not. */
  readonly waitingForMs: number | undefined;
  /** Slots without settings of their own that have been idle for the down delay. */
  readonly longIdle: number;
}

/** Tasks that wait so long, in milliseconds, get another slot. */
const defaultUpDelayMs = 1_000;
/** A slot that is idle for so long, in milliseconds, is taken away. */
export const defaultDownDelayMs = 60_000;

/**
 * The number of slots to have; the present one: nothing changes.
 *
 * Up: one for each task that waits, at once, since a queue that is there is sure. Down: only what has been idle for long,
 * since a slot that is opened again costs a process.
 */
export function automaticTarget(config: ScalingConfig, view: ScalingView): number {
  const { minSlots, maxSlots, upDelayMs = defaultUpDelayMs } = config;
  const { target, waiting, free, waitingForMs, longIdle } = view;
  if (target < minSlots) return minSlots;
  if (waiting > 0 && free === 0 && waitingForMs !== undefined && waitingForMs >= upDelayMs) {
    return Math.max(target, Math.min(maxSlots, target + waiting));
  }
  if (waiting === 0 && longIdle > 0) return Math.max(Math.min(target, minSlots), target - longIdle);
  return target;
}
