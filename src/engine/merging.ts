/**
 * Carries out the merge queue in this process: whoever asks for a merge does it, and hosts do what was left.
 *
 * U1. A merge is held by one process; it ends in one transaction, or is given back, or is taken over when its holder is dead.
 */
import { PoolError } from "../core/errors.ts";
import type { MergeEnd, MergeRecord } from "../core/merge.ts";
import { resolveSettings } from "../core/config.ts";
import { isOwnerGone, ownerOf } from "../core/process-owner.ts";
import { titleOf } from "../core/workspace.ts";
import type { EngineParts } from "./parts.ts";
import { setupOf } from "./run-workspace.ts";

const retryMs = 500;
const attemptsAtEnd = 5;

export class Merging {
  readonly #parts: EngineParts;
  readonly #stopped = new AbortController();
  #working: Promise<void> | undefined;
  #again = false;

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  /** Does what waits, one after the other, until nothing is left; a call meanwhile makes it look once more. */
  work(): Promise<void> {
    this.#again = true;
    this.#working ??= this.#drain().finally(() => {
      this.#working = undefined;
    });
    return this.#working;
  }

  /** Cuts short what is under way, and gives it back to the queue; resolves when that is done. */
  async stop(): Promise<void> {
    this.#stopped.abort("shutdown");
    await this.#working?.catch(this.#parts.report);
  }

  async #drain(): Promise<void> {
    const { records, processes, machine } = this.#parts;
    while (this.#isWanted()) {
      const merge = await records.takeMerge(ownerOf(processes, machine), (one) => isOwnerGone(one, processes, machine));
      if (merge === undefined) continue;
      this.#again = true;
      await this.#carryOut(merge);
    }
  }

  #isWanted(): boolean {
    const isWanted = this.#again && !this.#stopped.signal.aborted;
    this.#again = false;
    return isWanted;
  }

  async #carryOut(merge: MergeRecord): Promise<void> {
    const { records, clock, report } = this.#parts;
    const end = await this.#land(merge);
    for (let attempt = 1; ; attempt += 1) {
      try {
        await (end === undefined ? records.releaseMerge(merge.id) : records.endMerge(merge.id, end));
        return;
      } catch (error) {
        // As long as this process lives nobody else takes it: unless the store refuses for good, it is told again (U1).
        const isRefused = error instanceof PoolError && !error.code.startsWith("store_");
        if (isRefused || (this.#stopped.signal.aborted && attempt >= attemptsAtEnd)) throw error;
        report(error);
        await new Promise<void>((resolve) => void clock.after(retryMs, resolve));
      }
    }
  }

  /** How it ended; undefined: it was cut short, and is for somebody else. */
  async #land(merge: MergeRecord): Promise<MergeEnd | undefined> {
    const { records, workspaces, config, cwd } = this.#parts;
    const { signal } = this.#stopped;
    try {
      const task = await records.get(merge.taskId);
      const { workspace } = task ?? {};
      if (task === undefined || workspace?.saved === undefined) throw gone(merge);
      if (task.state === "cancelled") return { state: "cancelled", error: `Task ${task.id} was cancelled.` };
      const { repository } = merge;
      const setup = setupOf(config);
      return await workspaces.land(
        {
          title: titleOf(task.originalPrompt ?? task.prompt),
          taskId: task.id,
          mergeId: merge.id,
          workspace: { ...workspace, saved: workspace.saved },
          target: merge.target,
          method: merge.method,
          checks: resolveSettings(config, {}, task).checks,
          path: workspaces.pathOf({ repository, poolId: records.poolId, name: merge.id }),
          cwd: task.cwd ?? cwd,
          include: config.worktreeInclude,
          ...(setup === undefined ? {} : { setup }),
        },
        signal,
      );
    } catch (error) {
      if (signal.aborted) return undefined;
      return { state: "failed", error: error instanceof Error ? error.message : String(error) };
    }
  }
}

function gone({ id, taskId }: MergeRecord): PoolError {
  return new PoolError("nothing_to_merge", `Merge ${id}: task ${taskId} has no saved work any more.`, {
    mergeId: id,
    taskId,
  });
}
