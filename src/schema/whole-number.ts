/** A count or an amount that a caller gave as a bare number. */
import { invalidOptions } from "../core/errors.ts";

/** @throws {PoolError} `invalid_options` unless it is a whole number of at least 0. */
export function wholeNumber(value: number, field: string): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw invalidOptions(`${field}: expected a whole number of at least 0, got ${String(value)}.`, field);
}

