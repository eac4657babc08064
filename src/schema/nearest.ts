/** The name that was probably meant. */
import { closest, distance } from "fastest-levenshtein";

/**
 * The nearest of `known`, or undefined if none is near enough to be what was meant.
 *
 * @example nearest("modle", ["model", "effort"]) // "model"
 */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (known.length === 0 || name.length > 100) return undefined;
  const best = closest(name, known);
  return distance(name, best) <= Math.max(2, Math.ceil(Math.max(name.length, best.length) / 2)) ? best : undefined;
}
