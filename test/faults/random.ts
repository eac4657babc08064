/** Chance that can be repeated: the same seed gives the same numbers. (What the machine makes of them differs.) */

export interface Random {
  /** From 0 to 1, without 1. */
  next(): number;
  /** A whole number below this one. */
  below(end: number): number;
  /** True so often, from 0 to 1. */
  chance(share: number): boolean;
}

/** Mulberry32: small, and good enough for choosing when to kill. */
export function random(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return { next, below: (end) => Math.floor(next() * end), chance: (share) => next() < share };
}
