/**
 * One run, from the lease to what is to be committed: settings, conversation, process, turn, outcome.
 *
 * E1. `carryOut` never rejects: whatever happens is an Outcome.
 * E2. The first cause that ends a run is the one its outcome names.
 */
import { attemptPrompt, withoutConversation } from "../core/attempt.ts";
import { resolveSettings, type ResolvedSettings } from "../core/config.ts";
import { contextText } from "../core/context-text.ts";
import { PoolError } from "../core/errors.ts";
import { messagesText } from "../core/message.ts";
import type { EndReason, Outcome } from "../core/outcome.ts";
import type { EndCause, LaunchSpec, SlotProcess, TurnDesk, TurnEvent } from "../core/runner-port.ts";
import type { Finish, Lease } from "../core/records.ts";
import type { RunWatch } from "../core/run-watch.ts";
import type { Hold, TaskRecord, TaskResult } from "../core/task.ts";
import { workspaceText, type TaskWorkspace } from "../core/workspace.ts";
import type { Asking } from "./asking.ts";
import { turnDesk } from "./desk.ts";
import { launchOf, placeOf, turnSpec } from "./launch.ts";
import { LimitEar } from "./limit-ear.ts";
import { OutputLog } from "./output-log.ts";
import type { EngineParts } from "./parts.ts";
import { RunBudget } from "./run-budget.ts";
import { RunClaim } from "./run-claim.ts";
import { isWorkspaceError, notIsolated, RunWorkspace } from "./run-workspace.ts";
import type { Slot } from "./slot.ts";

/** What a run is told when it goes on in the conversation of one that was cut off or limited. */
const goOnPrompt =
  "Your work on the task above was cut off by a crash or a usage limit. Look at what is already done, then go on until the task is finished.";

export class Execution {
  readonly lease: Lease;
  readonly slot: Slot;
  /** Set when the Claude program itself did not open, so that the slot rests and the task goes back to the queue. */
  launchError: string | undefined;
  readonly #parts: EngineParts;
  readonly #asking: Asking;
  readonly #settings: ResolvedSettings;
  readonly #log: OutputLog;
  readonly #limits: LimitEar;
  readonly #controller = new AbortController();
  readonly #startedAt: number;
  readonly #watch: RunWatch | undefined;
  readonly #claim: RunClaim;
  /** The hold in which it waits for another's claim, if it met one. */
  #claimed: Hold | undefined;
  /** Of an isolated task. */
  readonly #isolated: RunWorkspace | undefined;
  #workspace: TaskWorkspace | undefined;
  readonly #budget: RunBudget;
  /** What the model was given: acknowledged when the run commits (N1 of core/message.ts). */
  #messages: readonly string[] = [];

  constructor(parts: EngineParts, asking: Asking, slot: Slot, lease: Lease) {
    this.#parts = parts;
    this.#asking = asking;
    this.slot = slot;
    this.lease = lease;
    this.#settings = resolveSettings(parts.config, slot.config, lease.task);
    this.#log = new OutputLog(parts, { taskId: lease.task.id, slotId: slot.id, runId: lease.runId });
    this.#limits = new LimitEar(parts, lease);
    const hasOwnCap = this.#settings.maxCostMicrodollars !== undefined;
    this.#budget = new RunBudget(parts, lease, hasOwnCap, () => this.end("budget"));
    this.#startedAt = parts.clock.monotonic();
    this.#watch = parts.watch?.(lease);
    this.#claim = new RunClaim(parts, lease.task);
    const { isolation } = this.#settings;
    this.#isolated = isolation === "none" ? undefined : new RunWorkspace(parts, lease, this.#settings, isolation);
  }

  /** Where the process works: the task's own directory, or what it is in its workspace. */
  get cwd(): string {
    return this.#workspace?.cwd ?? this.lease.task.cwd ?? this.#parts.cwd;
  }

  /** Ends the run early; a second cause changes nothing (E2). */
  end(cause: EndCause): void {
    this.#controller.abort(cause);
  }

  /** A cap was set or moved under way: a run that began without one has to ask for its money from now on. */
  budgetChanged(): void {
    this.#budget.capChanged();
  }

  /** Called with what the commit made of the task; resolves to whether a claim of it has ended. */
  ended(task: TaskRecord | undefined): Promise<boolean> {
    return this.#claim.end(task);
  }

  async carryOut(): Promise<Finish> {
    const cancelTimer = this.#armTimeout();
    const ended = this.#judge(await this.#outcome());
    this.#watch?.turnEnded(ended);
    this.#log.flush();
    const { outcome, ...kept } = (await this.#isolated?.conclude(ended, this.#controller.signal)) ?? { outcome: ended };
    cancelTimer();
    this.#watch?.ended(outcome);
    return { ...(await this.#finish(outcome)), ...kept };
  }

  /** With `detectPermissionPrompts` off, a denied last tool call is only listed, as `claude -p` does. */
  #judge(outcome: Outcome): Outcome {
    if (this.#parts.config.detectPermissionPrompts) return outcome;
    if (outcome.kind !== "failed" || outcome.result.reason !== "permission") return outcome;
    const { reason: _reason, error: _error, ...result } = outcome.result;
    return { kind: "completed", result: { ...result, success: true } };
  }

  #armTimeout(): () => void {
    const { timeoutMs } = this.#settings;
    if (timeoutMs === undefined) return () => undefined;
    return this.#parts.clock.after(timeoutMs, () => {
      this.end("timeout");
    });
  }

  async #outcome(): Promise<Outcome> {
    try {
      const { signal } = this.#controller;
      this.#claimed = await this.#claim.take();
      if (this.#claimed !== undefined) return this.#unstarted(undefined);
      this.#workspace = await this.#isolate(signal);
      const opened = await this.#open();
      if (this.#workspace !== undefined) await this.#isolated?.verify(this.cwd);
      if (signal.aborted) return this.#unstarted(undefined);
      const turn = turnSpec(this.#parts.config, this.#settings, {
        runId: this.lease.runId,
        prompt: opened.goesOn ? goOnPrompt : attemptPrompt(this.#attempt),
        context: await this.#context(),
      });
      this.#watch?.turnBegins();
      return await opened.process.turn(turn, this.#controller.signal, (event) => this.#hear(event), this.#desk());
    } catch (error) {
      return this.#unstarted(error);
    }
  }

  /** A directory of its own, if the task is to have one; what only such a directory can give is refused without. */
  async #isolate(signal: AbortSignal): Promise<TaskWorkspace | undefined> {
    const { task } = this.lease;
    if (this.#isolated === undefined) {
      if (task.kind === "task" && (this.#settings.checks.length > 0 || task.merge === "auto"))
        throw notIsolated(task.id);
      return undefined;
    }
    const workspace = await this.#isolated.prepare(signal);
    this.#watch?.workspaceReady();
    this.slot.worksIn(task.chainId ?? task.cwd ?? this.#parts.cwd, workspace.cwd);
    return workspace;
  }

  /** Identity, shared facts and unread messages; the pool's own questions are asked without them. */
  async #context(): Promise<string | undefined> {
    if (this.lease.task.kind === "route") return undefined;
    const messages = this.lease.messagesWait ? await this.#parts.records.deliverMessages(this.slot.id) : [];
    this.#messages = messages.map((message) => message.id);
    const workspace = this.#workspace && workspaceText(this.#workspace, this.#isolated?.holdsEarlierWork === true);
    const news = await this.#claim.news();
    const parts = [contextText(this.slot.config, this.lease.context), workspace, news, messagesText(messages)];
    return parts.filter((part) => part !== undefined).join("\n\n") || undefined;
  }

  #desk(): TurnDesk {
    const { task, runId } = this.lease;
    return turnDesk(this.#parts, this.#asking, {
      taskId: task.id,
      runId,
      slotId: this.slot.id,
      cwd: this.cwd,
      settings: this.#settings,
      depth: task.depth ?? 0,
      readMessages: async () => {
        const waiting = await this.#parts.records.deliverMessages(this.slot.id);
        const fresh = waiting.filter(({ id }) => !this.#messages.includes(id));
        this.#messages = [...this.#messages, ...fresh.map(({ id }) => id)];
        return fresh;
      },
    });
  }

  /** Trace context is fixed for the life of a process, so only one that serves this run alone is given it. */
  #launch(): LaunchSpec {
    const { task } = this.lease;
    const place = placeOf(this.#parts, this.slot.id, this.cwd, task.cwd);
    const launch = launchOf(this.#parts, this.slot.config, task, place);
    if (this.#watch === undefined || this.#parts.config.slotMode !== "ephemeral") return launch;
    return { ...launch, env: { ...launch.env, ...this.#watch.environment } };
  }

  async #open(): Promise<{ readonly process: SlotProcess; readonly goesOn: boolean }> {
    const launch = this.#launch();
    const { signal } = this.#controller;
    const crashed = this.#attempt.resumeSessionId;
    if (crashed !== undefined) {
      try {
        return { process: await this.slot.prepare(launch, crashed, signal), goesOn: true };
      } catch (error) {
        // The transcript may be gone by now: the task is then done from its prompt, which is what was promised.
        if (signal.aborted || !(error instanceof PoolError) || error.code !== "claude_broken") throw error;
      }
    }
    const conversation = await this.#conversation();
    try {
      return { process: await this.slot.prepare(launch, conversation, signal), goesOn: false };
    } catch (error) {
      if (conversation === undefined || !isGoneConversation(error)) throw error;
      const { conversation: choice } = this.#settings;
      if (typeof choice === "object") throw noConversation(choice);
      // "continue" goes on in the slot's last one if there is one; else every task after this would fail like it.
      return { process: await this.slot.prepare(launch, undefined, signal), goesOn: false };
    }
  }

  /** The task as this attempt goes at it: in another directory than before, no conversation that speaks of that one is gone on with. */
  get #attempt(): TaskRecord {
    const { task } = this.lease;
    return this.#isolated?.hasMoved === true ? withoutConversation(task) : task;
  }

  /** The conversation that was asked for; undefined: a fresh one. */
  async #conversation(): Promise<string | undefined> {
    const { plan, result } = this.#attempt;
    // That of the answer that was rejected, or failed its checks.
    if (plan?.keepsConversation === true) return plan.conversationId ?? result?.sessionId;
    const choice = this.#settings.conversation;
    if (choice === "fresh") return undefined;
    if (choice === "continue") {
      const record = (await this.#parts.records.slots()).find((slot) => slot.id === this.slot.id);
      return record?.sessionCwd === this.cwd ? record.sessionId : undefined;
    }
    const other = await this.#parts.records.get(choice.taskId);
    if (other?.result?.sessionId === undefined) throw noConversation(choice);
    return other.result.sessionId;
  }

  #hear(event: TurnEvent): Promise<void> | undefined {
    this.#limits.hear(event);
    switch (event.type) {
      case "text":
        this.#log.text(event.text);
        break;
      case "tool":
        this.#log.tool(event.tool, event.summary);
        break;
      case "cost":
        return this.#budget.spent(event.costMicrodollars);
      case "api_retry":
      case "usage_limit":
      case "conversation":
        break;
    }
    return undefined;
  }

  /** The outcome of a run whose turn never began: the reason is the abort's if there was one, else the error's. */
  #unstarted(error: unknown): Outcome {
    const cause = this.#controller.signal.aborted ? (this.#controller.signal.reason as EndCause) : undefined;
    switch (cause) {
      case "cancel":
      case "shutdown":
        return { kind: "cancelled", result: this.#emptyResult("cancelled", "Cancelled before its first turn.") };
      case "timeout":
        return { kind: "timed_out", result: this.#emptyResult("timed_out", "Timed out before its first turn.") };
      case "budget":
        return { kind: "failed", result: this.#emptyResult("budget", "No money was left for its first turn.") };
      case undefined: {
        const text = error instanceof Error ? error.message : String(error);
        if (isWorkspaceError(error)) return { kind: "failed", result: this.#emptyResult("workspace", text) };
        if (this.#isBrokenClaude(error)) this.launchError = text;
        return { kind: "failed", result: this.#emptyResult("launch", text) };
      }
    }
  }

  /** The program itself, not something that only this task asked of it. */
  #isBrokenClaude(error: unknown): boolean {
    if (!(error instanceof PoolError)) return false;
    if (error.code === "claude_not_found") return true;
    const { jsonSchema, tools, mcpServers, fallbackModel, systemPrompt } = this.#settings;
    const asksForMore = [jsonSchema, tools, fallbackModel, systemPrompt].some((extra) => extra !== undefined);
    return error.code === "claude_broken" && !asksForMore && Object.keys(mcpServers).length === 0;
  }

  #emptyResult<R extends EndReason>(reason: R, error: string): TaskResult & { readonly reason: R } {
    return {
      output: "",
      success: false,
      costMicrodollars: 0,
      turnsUsed: 0,
      elapsedMs: Math.round(this.#parts.clock.monotonic() - this.#startedAt),
      permissionMode: this.#settings.permissionMode,
      reason,
      error,
    };
  }

  /** What is committed: a run that this host itself cut short for its shutdown goes back to the queue. */
  async #finish(outcome: Outcome): Promise<Finish> {
    const { task, runId } = this.lease;
    const messages = this.#messages;
    const base = { taskId: task.id, runId, cwd: this.cwd, ...(messages.length === 0 ? {} : { messages }) };
    if (outcome.kind === "limited") {
      const conversation = await this.#remains();
      return { ...base, outcome, ...(conversation === undefined ? {} : { resumeSessionId: conversation }) };
    }
    if (this.#claimed !== undefined) {
      const result = this.#emptyResult("lost", "Another terminal has claimed what it would edit.");
      return { ...base, outcome: { kind: "lost", result }, countsAsLost: false, hold: this.#claimed };
    }
    if (this.launchError !== undefined && outcome.kind === "failed") {
      return { ...base, outcome: { kind: "lost", result: outcome.result }, countsAsLost: false };
    }
    const isShutdown = outcome.kind === "cancelled" && this.#controller.signal.reason === "shutdown";
    if (!isShutdown && outcome.kind !== "lost") return { ...base, outcome };
    const remains = await this.#remains();
    const giveUp = !isShutdown && task.lostRuns + 1 >= this.#parts.config.maxLostRuns;
    return {
      ...base,
      outcome: { kind: "lost", result: { ...outcome.result, reason: "lost" } },
      countsAsLost: !isShutdown,
      giveUp,
      ...(remains === undefined ? {} : { resumeSessionId: remains }),
    };
  }

  /** The conversation to go on in, if Claude's transcript holds the prompt; without it the prompt is sent again. */
  async #remains(): Promise<string | undefined> {
    try {
      const run = { runId: this.lease.runId, cwd: this.cwd, sinceMs: this.lease.task.startedAtMs ?? 0 };
      return (await this.#parts.runner.remains(run)).sessionId;
    } catch (error) {
      this.#parts.report(error);
      return undefined;
    }
  }
}

/** The CLI's own words: its transcript was pruned, or belongs to another configuration folder. */
function isGoneConversation(error: unknown): boolean {
  return (
    error instanceof PoolError && error.code === "claude_broken" && error.message.includes("No conversation found")
  );
}

function noConversation(choice: { readonly taskId: string }): PoolError {
  return new PoolError("task_not_found", `Task ${choice.taskId} has no conversation to continue.`, choice);
}
