/** The tools that the pool offers a worker itself, and how deep tasks of tasks may go. */
import { PoolError } from "./errors.ts";

/** The MCP server of the worker's tools: they are `mcp__pool__…` to the model and to rules. */
export const workerServerName = "pool";
/** In the environment of processes whose worker may submit tasks: how deep its own task is. */
export const depthVariable = "CLAUDE_POOL_DEPTH";

/** A task would be submitted too many tasks deep. */
export function depthExceeded(depth: number, maxDepth: number): PoolError {
  const text =
    `The task would be ${String(depth)} deep among tasks that workers submitted; this pool allows ${String(maxDepth)} ` +
    "(`max_depth`). Do the work yourself, or say in your answer what should be done.";
  return new PoolError("depth_exceeded", text, { depth, maxDepth });
}
