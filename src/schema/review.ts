/** What a reviewer says. */
import { invalidOptions } from "../core/errors.ts";
import { promptText } from "./values.ts";

/** The most that one feedback may hold, in characters: every later attempt is shown all of them. */
const maxFeedback = 100_000;

/** @throws {PoolError} `invalid_options` for feedback that says nothing, or too much. */
export function parseFeedback(feedback: unknown): string {
  const answer = promptText.max(maxFeedback, { error: `at most ${String(maxFeedback)} characters` }).safeParse(feedback);
  if (answer.success) return answer.data;
  const what = answer.error.issues[0]?.message ?? "text";
  throw invalidOptions(`feedback: expected ${what}: the next attempt is told what to do better.`, "feedback");
}
