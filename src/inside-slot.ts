/**
 * What a process that runs inside a slot may do with the pool: look, and nothing else.
 *
 * Claude's tools inherit the environment of their slot's process, so whatever they start knows where it is. This keeps a
 * worker from opening the pool by accident, be it by a script of the project; it is no fence against a worker that wants to.
 */
import { PoolError } from "./core/errors.ts";
import type { Records } from "./core/records.ts";
import { depthVariable } from "./core/worker.ts";
import { markerVariable } from "./runner/process-table.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Where in a slot this is: `depth` is that of the slot's task if it may submit others; undefined: in no slot. */
export function insideSlot(env: Environment): { readonly depth?: number } | undefined {
  if ((env[markerVariable] ?? "") === "") return undefined;
  const depth = env[depthVariable];
  return depth !== undefined && /^\d{1,3}$/.test(depth) ? { depth: Number(depth) } : {};
}

/**
 * For whatever brings slots of its own: a worker's process must not.
 *
 * @throws {PoolError} `inside_slot`.
 */
export function refuseInsideSlot(env: Environment): void {
  if (insideSlot(env) !== undefined) throw refused("bring slots");
}

const looks: ReadonlySet<string> = new Set([
  "get",
  "getMany",
  "settled",
  "idsLike",
  "list",
  "runs",
  "chain",
  "chainSpec",
  "listChains",
  "countMessages",
  "governor",
  "scopeBudgets",
  "metrics",
  "forecast",
  "runtimeSkills",
  "hosts",
  "slots",
  "budget",
  "estimate",
  "context",
  "events",
  "lastEventSeq",
  "follow",
  "onForeignChange",
  "status",
  "requests",
  "webhooks",
  "request",
  "permissionRules",
  "heldByClaims",
  "places",
  "merge",
  "merges",
  "poolId",
  "exportLines",
  "close",
] satisfies readonly (keyof Records)[]);

/** The records of a process inside a slot: what is not a look is refused, but for `submit` where it may. */
export function recordsInsideSlot(records: Records, { depth }: { readonly depth?: number }): Records {
  return new Proxy(records, {
    get(target, name: string, receiver) {
      if (looks.has(name) || (name === "submit" && depth !== undefined)) {
        return Reflect.get(target, name, receiver) as unknown;
      }
      if (name === "readMessages") return reading(target);
      return () => Promise.reject(refused(name));
    },
  });
}

function reading(records: Records): Records["readMessages"] {
  return (recipient, how) =>
    how === "peek" ? records.readMessages(recipient, how) : Promise.reject(refused("readMessages"));
}

function refused(what: string): PoolError {
  return new PoolError(
    "inside_slot",
    `This process runs inside a slot of a pool, where only looking is allowed (${what}). ` +
      "Have the coordinator do it; a task with `may_dispatch` may submit others.",
  );
}
