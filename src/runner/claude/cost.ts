/**
 * What a turn cost, in microdollars.
 *
 * K1. The CLI's own figure for the turn where it gives one; else the growth of its running total; else an estimate, said
 *     to be one. Unknown is never zero.
 */
import type { SDKResultMessage } from "@anthropic-ai/claude-agent-sdk";
import type { TokenUsage } from "../../core/task.ts";
import { costSinceLastResult, number } from "./messages.ts";

/** Follows the running total of one process over all of its results. */
export class CostMeter {
  #totalUsd: number | undefined;

  /** `totalUsd`: what the process has on its account already; undefined: unknown, as after a resume by an old CLI. */
  constructor(totalUsd: number | undefined) {
    this.#totalUsd = totalUsd;
  }

  /** Dollars since the result before this one; undefined: it cannot be told. */
  settle(result: SDKResultMessage): number | undefined {
    const before = this.#totalUsd;
    const total = number(result.total_cost_usd);
    this.#totalUsd = total ?? before;
    const since = costSinceLastResult(result);
    if (since !== undefined) return since;
    if (total === undefined || before === undefined) return undefined;
    // A total below the last one was set back in between: all of it is new.
    return total < before ? total : total - before;
  }

  /** What this turn has cost by a running total read in its middle, in dollars. */
  sofar(totalUsd: number): number | undefined {
    if (this.#totalUsd === undefined) return undefined;
    return totalUsd < this.#totalUsd ? totalUsd : totalUsd - this.#totalUsd;
  }
}

/** The dearest list prices in use, in microdollars a token: an estimate must not be low. */
const rate = { input: 5, output: 25, cacheRead: 0.5, cacheWrite: 6.25 };
/** Claude Code's own prompt and tools, in tokens. */
const basePromptTokens = 20_000;

/** An upper guess for calls whose usage was seen but not their price. */
export function priceOf(usage: TokenUsage): number {
  return Math.ceil(
    usage.inputTokens * rate.input +
      usage.outputTokens * rate.output +
      usage.cacheReadInputTokens * rate.cacheRead +
      usage.cacheCreationInputTokens * rate.cacheWrite,
  );
}

/** A guess for a request that was under way when the process died, and of which nothing came back. */
export function priceOfUnseen(promptCharacters: number): number {
  return Math.ceil((basePromptTokens + promptCharacters / 4) * rate.input);
}
