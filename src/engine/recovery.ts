/**
 * Takes over from dead hosts: ends what their Claude processes still do, then puts their tasks back into the queue.
 *
 * V1. A task is leased again only when every process of its lost run is dead.
 * V2. One host at a time recovers a dead one; if it dies over that, another begins anew, and every step may be repeated.
 * V3. What a lost run left in a directory of its own is saved before its task goes back.
 * V4. So is its claim ended before: afterwards it could be that of the next run.
 */
import { isOwnerGone } from "../core/process-owner.ts";
import type { HostRecord, TaskRecord } from "../core/task.ts";
import type { EngineParts } from "./parts.ts";
import { activityTask } from "./claim-watch.ts";
import { saveWork } from "./save-work.ts";

export class Recovery {
  readonly #parts: EngineParts;
  /** Leases as first seen at their present value, by our own clock that never jumps. */
  readonly #seen = new Map<string, { readonly leaseUntilMs: number; readonly sinceMonotonic: number }>();

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  /** Recovers every dead host once; resolves to how many. */
  async sweep(ownHostId: string): Promise<number> {
    const hosts = await this.#parts.records.hosts();
    const dead = hosts.filter((host) => host.id !== ownHostId && this.isDead(host));
    let recovered = 0;
    for (const host of dead) {
      if (!(await this.#parts.records.claimRecovery(host.id, ownHostId))) continue;
      await this.#recover(host);
      recovered += 1;
    }
    return recovered;
  }

  /** Is this host's process gone? A live process whose lease stood still for a whole lease of our own time counts as gone. */
  isDead(host: HostRecord): boolean {
    return isOwnerGone(host, this.#parts.processes, this.#parts.machine) || this.#leaseStandsStill(host);
  }

  /** Our own monotonic clock judges, so that neither a sleeping laptop nor a jump of the wall clock makes a host look dead. */
  #leaseStandsStill(host: HostRecord): boolean {
    const now = this.#parts.clock.monotonic();
    const seen = this.#seen.get(host.id);
    if (seen?.leaseUntilMs !== host.leaseUntilMs) {
      this.#seen.set(host.id, { leaseUntilMs: host.leaseUntilMs, sinceMonotonic: now });
      return false;
    }
    return now - seen.sinceMonotonic > this.#parts.config.leaseMs;
  }

  async #recover(host: HostRecord): Promise<void> {
    const { records, runner } = this.#parts;
    const slots = (await records.slots()).filter((slot) => slot.hostId === host.id);
    await Promise.all(
      slots.map(async (slot) => {
        if (slot.process !== undefined) await runner.endOrphan(slot.process); // V1
      }),
    );
    const estimate = await records.estimate();
    for (const { task, run, hasWorked } of await records.runningOf(host.id)) {
      const cwd = task.workspace?.cwd ?? task.cwd ?? this.#parts.cwd;
      if (hasWorked) await this.#saveWork(task, run.runId);
      const remains = await runner.remains({ runId: run.runId, cwd, sinceMs: run.startedAtMs });
      await this.#endClaim(task);
      await records.recoverRun(run.runId, remains, estimate);
    }
    await records.endHost(host.id);
    this.#seen.delete(host.id);
  }

  /** V4. */
  async #endClaim(task: TaskRecord): Promise<void> {
    if (task.paths === undefined || task.paths.length === 0) return;
    const end = { how: "released", summary: `The host of run ${String(task.attempt)} is gone.` } as const;
    await this.#parts.activity?.end(activityTask(task, this.#parts.cwd), end);
  }

  /** V3: its next run goes on with what stands there. A failure stops nothing: no directory is given to others unsaved (W2). */
  async #saveWork(task: TaskRecord, runId: string): Promise<void> {
    const { records, report, clock, config } = this.#parts;
    if (task.workspace === undefined) return;
    // A host that hangs and does not die may hold the place for ever; nothing else would be recovered then, nor merged.
    const patience = new AbortController();
    const cancelTimer = clock.after(config.leaseMs, () => {
      patience.abort("timeout");
    });
    try {
      await records.noteWorkspace(task.id, await saveWork(this.#parts, task, task.workspace, patience.signal), runId);
    } catch (error) {
      report(error);
    } finally {
      cancelTimer();
    }
  }
}
