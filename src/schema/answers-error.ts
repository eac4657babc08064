/** An error as JSON has it, on every surface the same. */
import { z } from "zod";
import { errorMeanings } from "../core/error-meanings.ts";
import { PoolError, type ErrorCode } from "../core/errors.ts";
import { toWire } from "../core/wire.ts";
import { answer, anything, words } from "./answer.ts";

/** `internal` is no code of the pool's: a bug, or the system. */
const codes = [...(Object.keys(errorMeanings) as ErrorCode[]), "internal"] as const;

export const errorAnswer = answer({
  code: z.enum(codes),
  message: words.describe("What happened, to what, and what to do."),
  remedy: words.optional().describe("What helps against errors of this code."),
  details: anything,
});

export type ErrorAnswer = z.output<typeof errorAnswer>;

/** Any error as an answer; what is not the pool's own shows its message and nothing else. */
export function errorAnswerOf(error: unknown): ErrorAnswer {
  if (error instanceof PoolError) {
    const { code, message, details } = error;
    return { code, message, remedy: errorMeanings[code].remedy, details: toWire(details) as ErrorAnswer["details"] };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: "internal", message, details: {} };
}
