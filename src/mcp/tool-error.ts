/** A refusal as a tool error: its code, what happened, and what the model can do about it. */
import { PoolError, type ErrorCode } from "../core/errors.ts";
import { errorAnswerOf, type ErrorAnswer } from "../schema/answers-error.ts";
import { bounded } from "./bounded.ts";

/** Where the general remedy speaks of commands, the tool that helps. */
const nextSteps: Partial<Readonly<Record<ErrorCode, string>>> = {
  task_not_found: "pool_list_tasks shows the ids.",
  slot_not_found: "pool_find_slots shows the ids.",
  slot_state: "pool_find_slots shows the states: only an idle slot can claim.",
  skill_not_found: "pool_skill_list shows the names.",
  context_not_found: "pool_list_context shows the keys.",
  invalid_transition: "pool_result shows the task's state.",
  wait_timeout: "pool_status shows how the pool stands; call again later, or with less to wait for.",
  invalid_options: "Mend the arguments as the message says, and call again.",
  inbox_full: "pool_read_messages empties an inbox.",
  no_host: "The server that you talk to hosts slots itself unless it was started with none; pool_scale_up adds some.",
  pool_closed: "The server is ending. The tasks live on; start it again and use pool_wait with their ids.",
  pool_shutdown: "The pool was drained. Tell the user: it takes work again once the server is started anew.",
  budget_exhausted: "Tell the user: only they can raise the cap, with `claude-pool budget set`.",
  task_budget_exceeds_remaining: "Give the task a smaller max_budget_usd; pool_status shows what is left.",
  untrusted_config: "Tell the user: only they can trust the file, with `claude-pool trust`.",
};

/** The error in wire names, without what does not fit. */
export function toolError(error: unknown): Readonly<Record<string, unknown>> {
  const { code, message, remedy, details } = errorAnswerOf(error);
  const hint = code === "internal" ? undefined : (nextSteps[code] ?? remedy);
  const nextStep = hint === undefined ? {} : { next_step: hint };
  return bounded({ error: { code, message, ...nextStep, details: shownDetails(error, details) } }, () => "").value;
}

/** The outcome of a failed task is told by its own fields elsewhere. */
function shownDetails(error: unknown, details: ErrorAnswer["details"]): object {
  if (!(error instanceof PoolError)) return {};
  const { outcome: _, ...rest } = details;
  return rest;
}
