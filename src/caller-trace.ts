/**
 * The trace that what is submitted belongs to. It comes with a request, and a submission is far below that (in a skill, a chain, a
 * decided route), so it is carried by the call itself and not handed through every method on the way.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { TraceContext } from "./core/trace-context.ts";

const callers = new AsyncLocalStorage<TraceContext | undefined>();

/** Does something of which each task and chain that it submits belongs to the caller's trace; without one nothing is carried. */
export function withCallerTrace<T>(caller: TraceContext | undefined, body: () => T): T {
  return caller === undefined ? body() : callers.run(caller, body);
}

/** For what is about to be submitted; no field where no caller has a trace. */
export function callerTrace(): { readonly trace?: TraceContext } {
  const trace = callers.getStore();
  return trace === undefined ? {} : { trace };
}
