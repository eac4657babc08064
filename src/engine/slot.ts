/**
 * One slot of this host: it keeps a Claude process open between tasks, and makes it clean in between.
 *
 * Owns: its process. Never touches: tasks, leases, money.
 *
 * L1. A task gets a process only when the one before it has been made clean, or replaced.
 * L2. A process's identity is in the records before a task is given to it, so that whoever finds this host dead finds it.
 */
import { PoolError } from "../core/errors.ts";
import type { LaunchSpec, SlotProcess } from "../core/runner-port.ts";
import type { SlotConfig, SlotRecord } from "../core/task.ts";
import { launchKey } from "./launch.ts";
import type { EngineParts } from "./parts.ts";
import type { StartGuard } from "./start-guard.ts";

/** Memory is asked for after every so many tasks: it grows slowly, and the question costs a walk over a process tree. */
const tasksBetweenMemoryChecks = 10;

/** So many runs in a row whose process died make a slot errored. */
const deathsToError = 3;

const maxWorkplaces = 100;

interface OpenProcess {
  readonly process: SlotProcess;
  readonly launch: LaunchSpec;
  readonly key: string;
  /** The conversation it stands in; undefined: a new one that nothing was said in. */
  conversation: string | undefined;
  tasks: number;
  gone: boolean;
}

export class Slot {
  readonly id: string;
  config: SlotConfig;
  /** A task may be leased to it. */
  free = true;
  /** Orders free slots: the longest idle is first. */
  freeSince = 0;
  /** It takes nothing new and stops when it is free. */
  draining = false;
  /** Why it is errored and takes nothing. */
  error: string | undefined;
  /** How often in a row it became errored. */
  failures = 0;
  /** The tasks in whose runs its process died, those in a row. */
  deaths: readonly string[] = [];
  /** Where it worked last, by chain or by directory in the user's checkout: there its process may still be warm. */
  readonly #workplaces = new Map<string, string>();
  #open: OpenProcess | undefined;
  #settled: Promise<void> = Promise.resolve();
  /** Aborted when nothing more is to be opened ahead of a task. */
  readonly #abandoned = new AbortController();
  readonly #parts: EngineParts;
  readonly #guard: StartGuard;

  constructor(parts: EngineParts, guard: StartGuard, record: SlotRecord) {
    this.#parts = parts;
    this.#guard = guard;
    this.id = record.id;
    this.config = record.config;
  }

  /** Could it take a task at once? */
  get isIdle(): boolean {
    return this.free && !this.draining && this.error === undefined;
  }

  /** Has it no settings of its own? */
  get isPlain(): boolean {
    return Object.keys(this.config).length === 0;
  }

  /** Is a process open, for whatever launch spec? */
  get isWarm(): boolean {
    return this.#open !== undefined && !this.#open.gone;
  }

  /** Is a process open that this launch spec could use as it is? */
  isWarmFor(key: string): boolean {
    return this.#open?.key === key && !this.#open.gone;
  }

  /** The directory that it has, or had last, for an isolated task. */
  workplaceOf(key: string): string | undefined {
    return this.#workplaces.get(key);
  }

  worksIn(key: string, cwd: string): void {
    // A slot that serves chain after chain remembers the last few.
    if (this.#workplaces.size >= maxWorkplaces) this.#workplaces.clear();
    this.#workplaces.set(key, cwd);
  }

  /**
   * A clean process for a launch spec, on a new conversation or on that of `resume`.
   *
   * @throws {PoolError} what `Runner.open` throws; `aborted` when the signal fires, be it while a process is being made
   * clean or opened ahead.
   */
  async prepare(launch: LaunchSpec, resume: string | undefined, signal?: AbortSignal): Promise<SlotProcess> {
    await unlessAborted(this.#settled, signal);
    const key = launchKey(launch);
    if (this.isWarmFor(key) && (await this.#turnsTo(resume))) return this.#take();
    const replaces = this.isWarm;
    await this.close();
    const options = { ...(resume === undefined ? {} : { resume }), ...(signal === undefined ? {} : { signal }) };
    const process = await this.#guard.open(() => this.#parts.runner.open(launch, options), {
      replaces,
      ...(signal === undefined ? {} : { signal }),
    });
    this.#open = this.#adopt(process, launch, key, resume);
    try {
      await this.#parts.records.updateSlot(this.id, { process: process.identity, error: null }); // L2
    } catch (error) {
      await this.close();
      throw error;
    }
    return this.#take();
  }

  /** Opens a process ahead of the first task. @throws {PoolError} what `Runner.open` throws. */
  warm(launch: LaunchSpec): Promise<void> {
    const opening = this.#replace(launch);
    this.#settled = opening.catch(() => undefined); // the caller hears of it; the first task tries again
    return opening;
  }

  /** Called when a task is over: makes the process clean for the next one, off the clock of both (L1). */
  settle(conversation: string | undefined): void {
    if (this.#open !== undefined) this.#open.conversation = conversation ?? "unknown";
    // After what goes on already: a run that ended while a process was still opening leaves that under way.
    this.#settled = this.#settled
      .then(() => this.#tidy())
      .catch((error: unknown) => {
        if (!this.#abandoned.signal.aborted) this.#parts.report(error);
      });
  }

  /** Opens nothing ahead any more, and gives up what is being opened so; a task at work is not touched. */
  abandon(): void {
    this.#abandoned.abort();
  }

  /** Ends a slot that no task is on, whatever it is doing; resolves when nothing of its process tree is alive. */
  async end(): Promise<void> {
    this.draining = true;
    this.abandon();
    await this.close();
    await this.#settled;
    await this.close();
  }

  /**
   * A run is over; true: its process died under it, and under so many before it that the slot is to blame. One task that
   * kills its process again and again is not enough for that.
   */
  diedTooOften(taskId: string, died: boolean): boolean {
    if (!died) {
      this.deaths = [];
      this.failures = 0;
      return false;
    }
    this.deaths = [...this.deaths.slice(1 - deathsToError), taskId];
    return this.deaths.length === deathsToError && new Set(this.deaths).size > 1;
  }

  /** Resolves when nothing of its process tree is alive. */
  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.process.close();
  }

  #take(): SlotProcess {
    const open = this.#open;
    if (open === undefined) throw new Error(`slot ${this.id} has no process to give`);
    open.tasks += 1;
    return open.process;
  }

  async #turnsTo(resume: string | undefined): Promise<boolean> {
    const open = this.#open;
    if (open === undefined) return false;
    if (resume === open.conversation) return true;
    if (resume !== undefined) return false;
    if (!(await open.process.clear())) return false;
    open.conversation = undefined;
    return !open.gone;
  }

  #adopt(process: SlotProcess, launch: LaunchSpec, key: string, resume: string | undefined): OpenProcess {
    const open: OpenProcess = { process, launch, key, conversation: resume, tasks: 0, gone: false };
    void process.gone.then(() => {
      open.gone = true;
    });
    return open;
  }

  async #tidy(): Promise<void> {
    const open = this.#open;
    if (open === undefined) return;
    if (open.gone || this.#abandoned.signal.aborted || this.#parts.config.slotMode === "ephemeral") return this.close();
    if (await this.#isWornOut(open)) return this.#replace(open.launch);
    if ((this.config.conversation ?? this.#parts.config.conversation) === "continue") return;
    if (!(await this.#turnsTo(undefined))) await this.#replace(open.launch);
  }

  async #isWornOut(open: OpenProcess): Promise<boolean> {
    const { maxTasksPerProcess, maxProcessMemoryBytes } = this.#parts.config;
    if (open.tasks >= maxTasksPerProcess) return true;
    if (open.tasks % tasksBetweenMemoryChecks !== 0) return false;
    return ((await open.process.memoryBytes()) ?? 0) > maxProcessMemoryBytes;
  }

  async #replace(launch: LaunchSpec): Promise<void> {
    const replaces = this.isWarm;
    await this.close();
    const { signal } = this.#abandoned;
    if (this.draining || signal.aborted) return;
    const process = await this.#guard.open(() => this.#parts.runner.open(launch, { signal }), { replaces, signal });
    this.#open = this.#adopt(process, launch, launchKey(launch), undefined);
    await this.#parts.records.updateSlot(this.id, { process: process.identity });
  }
}

async function unlessAborted(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(new PoolError("aborted", "The run was ended before it had a process."));
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
