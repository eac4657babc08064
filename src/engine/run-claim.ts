/**
 * The claim of one run on the paths that its task names: taken before its turn, kept alive, ended with what became of the task.
 *
 * Y1. Who claims first in the log holds. A run that comes second puts its task back, as long as that may wait.
 * Y2. A run ends its own claim and no other: its task may be in the next run already.
 */
import type { ActivityEnd, ActivityTask } from "../core/activity-port.ts";
import type { Hold, TaskRecord } from "../core/task.ts";
import { activityTask } from "./claim-watch.ts";
import type { EngineParts } from "./parts.ts";

/** A quarter of the shortest life that a claim has by default. */
const renewalMs = 900_000;

export class RunClaim {
  readonly #parts: EngineParts;
  readonly #task: ActivityTask;
  /** What is left of the time that the task may wait for others' claims. */
  readonly #waitMs: number;
  #claimId: string | undefined;
  #cancelRenewal: () => void = () => undefined;

  constructor(parts: EngineParts, task: TaskRecord) {
    this.#parts = parts;
    this.#task = activityTask(task, parts.cwd);
    this.#waitMs = task.claimWaitMs ?? 0;
  }

  /** Claims; the hold in which the task is to wait, if another was first and it still may. */
  async take(): Promise<Hold | undefined> {
    const { activity, clock } = this.#parts;
    if (this.#task.paths.length === 0 || activity === undefined) return undefined;
    const { id, holder } = await activity.claim(this.#task);
    if (holder !== undefined && this.#waitMs > 0) {
      return { reason: "claim", untilMs: clock.now() + this.#waitMs, note: holder };
    }
    this.#claimId = id;
    if (id !== undefined) this.#renewLater();
    return undefined;
  }

  /** What others wrote that concerns the task. */
  async news(): Promise<string | undefined> {
    return this.#parts.activity?.news(this.#task);
  }

  /**
   * Ends the claim (Y2), with what the task became; undefined: another host has it now, and claims for itself. Resolves to whether
   * something ended.
   */
  async end(task: TaskRecord | undefined): Promise<boolean> {
    this.#cancelRenewal();
    const { activity } = this.#parts;
    if (this.#task.paths.length === 0 || activity === undefined) return false;
    const [how, summary] = endingOf(task, this.#task.attempt);
    const claim = this.#claimId;
    // A run that held nothing has nothing to release.
    if (how === "released" && claim === undefined) return false;
    await activity.end(this.#task, { how, summary, ...(claim === undefined ? {} : { claim }) });
    return true;
  }

  #renewLater(): void {
    const { activity, clock, report } = this.#parts;
    this.#cancelRenewal = clock.after(renewalMs, () => {
      activity?.renew(this.#task).catch(report);
      this.#renewLater();
    });
  }
}

/** The number of the run is in what may be said twice of a task: the log takes the same report once only. */
function endingOf(task: TaskRecord | undefined, attempt: number): readonly [ActivityEnd["how"], string] {
  const { state, result } = task ?? {};
  switch (state) {
    case "completed":
      return ["completed", result?.output ?? ""];
    case "failed":
      return ["blocked", `${result?.reason ?? "failed"}: ${result?.error ?? ""}`];
    case "pending_review":
      return ["released", `Run ${String(attempt)} is done, and waits for a reviewer.`];
    case "pending":
    case "running":
      return ["released", `Back in the queue after run ${String(attempt)}.`];
    case "cancelled":
      return ["released", "Cancelled."];
    case undefined:
      return ["released", `Run ${String(attempt)} was taken over by another host.`];
  }
}
