/**
 * Work that this call brings its own slots for, and waits for: `run` and `fan-out`.
 *
 * X1. The first interrupt lets what runs finish and cancels what has not begun; the second cancels everything. Only this
 *     call's tasks: the pool's other work stays as it is.
 */
import type { EventData, PoolEvent } from "../core/events.ts";
import type { TaskRecord, TaskSpec } from "../core/task.ts";
import type { Pool } from "../pool.ts";
import type { Call } from "./call.ts";
import { exitOfTasks, type ExitCode } from "./exit.ts";
import { tellingHeldBack } from "./held-back.ts";
import { elapsed, usd } from "./quantities.ts";
import { taskLine } from "./task-text.ts";
import { Progress } from "./terminal/progress.ts";
import { oneLine } from "./terminal/table.ts";
import { tellingUncommitted } from "./uncommitted.ts";
import { workHint } from "./work-text.ts";

export interface AttachedOptions {
  /** Text of every task's answer as it comes. */
  readonly onText?: (text: string) => void;
  /** Called with every record in the order of the specs, as soon as all before it have ended. */
  readonly onEnd: (record: TaskRecord, index: number) => Promise<void>;
}

/** Submits, waits, reports; resolves to the exit code. */
export async function attached(
  call: Call,
  pool: Pool,
  specs: readonly TaskSpec[],
  options: AttachedOptions,
): Promise<ExitCode> {
  const progress = new Progress(call.out.talk);
  const work = new AttachedWork(call, pool, progress);
  const unhook = call.io.onInterrupt((urgent) => work.interrupt(urgent));
  try {
    const note = progress.note.bind(progress);
    const carryOut = (): Promise<ExitCode> => work.carryOut(specs, options);
    return await tellingHeldBack(pool, note, () => tellingUncommitted(pool, call.io.cwd, note, carryOut));
  } finally {
    unhook();
    progress.end();
  }
}

class AttachedWork {
  readonly #call: Call;
  readonly #pool: Pool;
  readonly #progress: Progress;
  readonly #stop = new AbortController();
  readonly #over = new AbortController();
  /** This call's tasks in the queue, by id, with whether they run. */
  readonly #open = new Map<string, "waiting" | "running">();
  /** What goes on beside the wait; none of them rejects, the first failure is kept. */
  readonly #asides: Promise<unknown>[] = [];
  #failure: Error | undefined;
  #total = 0;
  #done = 0;
  #spent = 0;
  #activity = "";
  #interrupts = 0;

  constructor(call: Call, pool: Pool, progress: Progress) {
    this.#call = call;
    this.#pool = pool;
    this.#progress = progress;
  }

  async carryOut(specs: readonly TaskSpec[], options: AttachedOptions): Promise<ExitCode> {
    const startedMs = Date.now();
    this.#total = specs.length;
    this.#beside(this.#follow());
    this.#progress.begin(() => this.#status(startedMs));
    const records: (TaskRecord | undefined)[] = [];
    const inOrder = new InOrder((record, index) => this.#progress.aside(() => options.onEnd(record, index)));
    try {
      await this.#pool.fanOut(specs, {
        signal: this.#stop.signal,
        ...(options.onText === undefined ? {} : { onOutput: this.#speaking(options.onText) }),
        onSettled: ({ taskId }, index) => {
          this.#beside(
            this.#settled(taskId).then((record) => {
              records[index] = record;
              return inOrder.put(index, record);
            }),
          );
        },
      });
    } finally {
      this.#over.abort();
      while (this.#asides.length > 0) await Promise.all(this.#asides.splice(0));
      this.#progress.end();
    }
    if (this.#failure !== undefined) throw this.#failure;
    const ended = records.filter((record) => record !== undefined);
    this.#hint(ended);
    return this.#interrupts > 0 ? 130 : exitOfTasks(ended);
  }

  /** Text that comes in pieces and a line that is written anew do not go together. */
  #speaking(onText: (text: string) => void): (text: string) => void {
    return (text) => {
      this.#progress.end();
      onText(text);
    };
  }

  interrupt(urgent: boolean): void {
    this.#interrupts += urgent ? 2 : 1;
    const atOnce = this.#interrupts > 1;
    this.#progress.note(atOnce ? "Stopping at once." : "Letting what runs finish; Ctrl-C again stops it.");
    if (atOnce) this.#stop.abort();
    for (const id of this.#open.keys()) this.#cancelAsAsked(id);
  }

  /** X1 */
  #cancelAsAsked(id: string): void {
    this.#beside(this.#interrupts > 1 ? this.#pool.cancel(id) : this.#cancelIfPending(id));
  }

  #beside(work: Promise<unknown>): void {
    this.#asides.push(
      work.catch((error: unknown) => {
        this.#failure ??= error instanceof Error ? error : new Error(String(error));
      }),
    );
  }

  async #cancelIfPending(id: string): Promise<void> {
    if ((await this.#pool.get(id)).state === "pending") await this.#pool.cancel(id);
  }

  async #settled(id: string | undefined): Promise<TaskRecord | undefined> {
    this.#done += 1;
    if (id === undefined) return undefined;
    this.#open.delete(id);
    const record = await this.#pool.get(id);
    this.#spent += record.result?.costMicrodollars ?? 0;
    const count = this.#total > 1 ? `${String(this.#done)}/${String(this.#total)} ` : "";
    this.#progress.note(count + taskLine(record, this.#call.out.talkColour));
    return record;
  }

  /** Follows the log for what moves: which of this call's tasks are queued, which run, and with which tool. */
  async #follow(): Promise<void> {
    for await (const event of this.#pool.events({ signal: this.#over.signal })) {
      const { taskId } = event;
      if (event.type === "governor.changed") this.#activity = activityOf(event.data);
      if (taskId === undefined) continue;
      if (event.type === "task.submitted") await this.#adopt(taskId);
      if (!this.#open.has(taskId)) continue;
      if (event.type === "task.started") this.#open.set(taskId, "running");
      if (event.type === "task.requeued" || event.type === "task.retried") this.#open.set(taskId, "waiting");
      if (event.type === "task.held") this.#activity = `held: ${event.data.reason}`;
      if (event.type === "task.progress") this.#activity = event.data.text;
      if (event.type === "task.tool") this.#activity = `${event.data.tool} ${event.data.summary ?? ""}`;
      this.#followWork(event);
    }
  }

  /** What takes long beside Claude's own work: set-up, checks, a place in the merge queue. */
  #followWork(event: PoolEvent): void {
    if (event.type === "task.preparing")
      this.#activity = `preparing a ${event.data.isolation}${event.data.setup === undefined ? "" : `: ${event.data.setup}`}`;
    if (event.type === "task.checking") this.#activity = `checking: ${event.data.checks.join(", ")}`;
    if (event.type === "task.checks_failed") this.#activity = "checks failed, which it is told";
    if (event.type === "merge.queued") this.#activity = `waits to be merged into ${event.data.target}`;
    if (event.type === "merge.started") this.#activity = `merging into ${event.data.target}`;
    if (event.type === "merge.ended") this.#activity = "";
    if (event.type === "task.workspace") this.#activity = "";
  }

  async #adopt(id: string): Promise<void> {
    const record = await this.#pool.get(id);
    if (record.originHost !== this.#pool.hostId || record.completedAtMs !== undefined) return;
    this.#open.set(id, record.state === "running" ? "running" : "waiting");
    if (this.#interrupts > 0) this.#cancelAsAsked(id); // it was being written when the interrupt came
  }

  #status(startedMs: number): string {
    const running = [...this.#open.values()].filter((state) => state === "running").length;
    const counts =
      this.#total === 1
        ? [running === 1 ? "running" : this.#done === 1 ? "done" : "waiting"]
        : [
            `${String(this.#done)}/${String(this.#total)} done`,
            `${String(running)} running`,
            `${String(this.#total - this.#done - running)} waiting`,
          ];
    return [...counts, usd(this.#spent), elapsed(Date.now() - startedMs), oneLine(this.#activity, 60)]
      .filter((part) => part !== "")
      .join(" · ");
  }

  #hint(records: readonly TaskRecord[]): void {
    this.#hintOfWork(records);
    this.#hintOfPlans(records);
  }

  /** What was changed is not in the user's own checkout, and does not go there by itself. */
  #hintOfWork(records: readonly TaskRecord[]): void {
    const kept = records.filter(({ workspace }) => (workspace?.saved?.files ?? 0) > 0);
    for (const record of kept.slice(0, maxHints)) this.#call.out.say(workHint(record));
    if (kept.length > maxHints) this.#call.out.say(`And ${String(kept.length - maxHints)} more: claude-pool list`);
  }

  /** Mode plan is the default and surprises: the work looks done, and nothing has changed. */
  #hintOfPlans(records: readonly TaskRecord[]): void {
    const planned = records.filter(
      (record) => record.state === "completed" && record.result?.permissionMode === "plan",
    );
    if (planned.length === 0) return;
    const what = this.#total === 1 ? "This run" : `${String(planned.length)} of these runs`;
    this.#call.out.say(
      `${what} changed nothing: permission mode plan (the default) only reads and plans. ` +
        "To let it edit files, add --permission-mode acceptEdits.",
    );
  }
}

/** After so many hints the list says it better. */
const maxHints = 5;

function activityOf({ reason }: EventData["governor.changed"]): string {
  return reason === undefined ? "" : `held back: ${reason}`;
}

/** Hands on what comes in any order in the order of its places. */
class InOrder {
  readonly #deliver: AttachedOptions["onEnd"];
  readonly #waiting = new Map<number, TaskRecord | undefined>();
  #next = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(deliver: AttachedOptions["onEnd"]) {
    this.#deliver = deliver;
  }

  put(index: number, record: TaskRecord | undefined): Promise<void> {
    this.#waiting.set(index, record);
    while (this.#waiting.has(this.#next)) {
      const place = this.#next;
      const ready = this.#waiting.get(place);
      this.#waiting.delete(place);
      this.#next += 1;
      if (ready !== undefined) this.#last = this.#last.then(() => this.#deliver(ready, place));
    }
    return this.#last;
  }
}
