/** A merge that this call asks for and waits for. */
import { Option, type Command } from "commander";
import type { MergeOptions } from "../core/api.ts";
import { defined } from "../core/config.ts";
import { mergeMethods, type MergeMethod } from "../core/merge.ts";
import type { Pool } from "../pool.ts";
import type { Call } from "./call.ts";
import { interrupted } from "./interrupted.ts";
import { meanwhile } from "./meanwhile.ts";
import { elapsed } from "./quantities.ts";
import { Progress } from "./terminal/progress.ts";

export interface MergeFlags {
  readonly into?: string;
  readonly method?: string;
}

export function mergeFlags(command: Command): Command {
  return command
    .option("--into <branch>", "the branch (default: merge_target, else the one that the work began from)")
    .addOption(new Option("--method <how>", `${mergeMethods.join(", ")} (default: merge_method, else rebase)`));
}

/** What the schema makes of them is the library's to say. */
export function mergeOptionsOf({ into, method }: MergeFlags): MergeOptions {
  return defined<MergeOptions>({ into, method: method as MergeMethod | undefined });
}

/** Waits for what merges, and shows how far it is; Ctrl-C ends the wait, and the merge stays in the queue. */
export async function landing<T>(call: Call, pool: Pool, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { signal, end } = interrupted(call);
  const progress = new Progress(call.out.talk);
  const startedMs = Date.now();
  let doing = "waiting";
  const follow = async (over: AbortSignal): Promise<void> => {
    for await (const event of pool.events({ signal: over })) {
      if (event.type === "merge.started") doing = `merging ${event.taskId ?? ""} into ${event.data.target}`;
    }
  };
  progress.begin(() => `${doing} · ${elapsed(Date.now() - startedMs)}`);
  try {
    return await meanwhile(follow, () => work(signal));
  } finally {
    progress.end();
    end();
  }
}
