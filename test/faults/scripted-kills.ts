/** Hosts with the scripted runner, killed at random, sometimes two at a time, sometimes in the middle of opening. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type Child, startChild } from "../../bench/ground/child.ts";
import { withFolder } from "../../bench/ground/folder.ts";
import { processesOf } from "../../bench/ground/leftovers.ts";
import { openPool, type Pool } from "../../src/index.ts";
import { Batches } from "./batches.ts";
import { checkStore, type Checks, type FaultsOptions } from "./checks.ts";
import { ended } from "./ended.ts";
import type { ScriptedHostOrder, TurnLine } from "./children/scripted-host.ts";

const tasksPerKill = 5;
const slots = 4;
const longestLifeMs = 150;
/** Longer than opening takes: so some die before, some while and some after they opened. */
const longestOpeningMs = 400;

interface Victim {
  readonly child: Child;
  readonly ready: Promise<unknown>;
}

export async function scriptedKills(options: FaultsOptions): Promise<void> {
  await withFolder(async (folder) => {
    const round = new Round(folder, options);
    const { checks } = options;
    await using watcher = await openPool({ cwd: folder, store: round.store, slots: 0, budgetUsd: 1_000 });
    await round.killAll(watcher);
    await round.finish(watcher);
    await watcher.close();

    console.log(`   ${String(options.kills)} hosts killed, ${String(round.tasks)} tasks, ${round.summary()}`);
    checkStore(round.store, checks);
    checkTurns(round, checks);
    checks.none("every cancellation came to an end", await round.unfinishedCancellations());
    checks.none("no process is left", processesOf(folder));
  });
}

class Round {
  readonly store: string;
  readonly log: string;
  readonly tasks: number;
  /** When each killed host was killed, by pid. */
  readonly killedAt = new Map<number, number>();
  readonly #folder: string;
  readonly #options: FaultsOptions;
  readonly #hosts = new Set<Victim>();
  readonly #cancellations: Promise<string>[] = [];
  readonly #batches: Batches;
  #started = 0;

  constructor(folder: string, options: FaultsOptions) {
    this.#folder = folder;
    this.#options = options;
    this.store = join(folder, "pool.db");
    this.log = join(folder, "turns.log");
    this.tasks = options.kills * tasksPerKill;
    const keys = Array.from({ length: this.tasks }, (_, index) => `task ${String(index)}`);
    this.#batches = new Batches(keys, tasksPerKill);
  }

  async killAll(watcher: Pool): Promise<void> {
    const { kills, random } = this.#options;
    let atOnce = 1;
    for (let kill = 0; kill < kills; kill += 1) {
      if (kill % 10 === 0) atOnce = 1 + random.below(2);
      while (this.#hosts.size < atOnce) this.#start(kill === 0 ? 10 : 1);
      const victim = [...this.#hosts][random.below(this.#hosts.size)];
      if (victim === undefined) throw new Error("no host to kill");
      if (random.chance(0.25)) await pause(random.next() * longestOpeningMs);
      else await victim.ready.then(() => pause(random.next() * longestLifeMs));
      if (random.chance(0.1)) await this.#cancelSome(watcher);
      this.#hosts.delete(victim);
      this.killedAt.set(victim.child.pid, Date.now());
      await victim.child.kill();
    }
  }

  /** Two hosts finish what is left and close as they should. */
  async finish(watcher: Pool): Promise<void> {
    for (const { child } of this.#hosts) {
      this.killedAt.set(child.pid, Date.now());
      await child.kill();
    }
    this.#hosts.clear();
    await this.#batches.settled();
    const last = [this.#start(this.#batches.left), this.#start(0)];
    await ended(watcher, this.tasks);
    for (const { child } of last) child.tell("close");
    await Promise.all(last.map(({ child }) => child.exited));
  }

  summary(): string {
    const lost = this.turns().filter(({ what }) => what === "begin").length - this.tasks;
    return `${String(this.#started)} hosts started, ${String(lost)} turns more than tasks, ${String(this.#cancellations.length)} cancellations`;
  }

  turns(): readonly TurnLine[] {
    const lines = readFileSync(this.log, "utf8").trimEnd().split("\n");
    return lines.map((line) => JSON.parse(line) as TurnLine);
  }

  async unfinishedCancellations(): Promise<readonly string[]> {
    const states = await Promise.all(this.#cancellations);
    return states.filter((state) => !["cancelled", "completed", "failed"].includes(state));
  }

  #start(batches: number): Victim {
    const given = this.#batches.take(batches);
    this.#started += 1;
    const order: ScriptedHostOrder = {
      store: this.store,
      cwd: this.#folder,
      log: this.log,
      slots,
      seed: this.#options.seed + this.#started,
      keys: given.flat(),
    };
    const child = startChild(new URL("children/scripted-host.ts", import.meta.url), order, this.#folder);
    const ready = this.#batches.follow(child, given);
    const victim = { child, ready };
    this.#hosts.add(victim);
    return victim;
  }

  async #cancelSome(watcher: Pool): Promise<void> {
    const { tasks } = await watcher.list({ state: ["pending", "running"], limit: 100 });
    const task = tasks[this.#options.random.below(tasks.length)];
    if (task !== undefined) this.#cancellations.push(watcher.cancel(task.id).then(({ state }) => state));
  }
}

/** What the runners themselves wrote down, against the ledger and against each other. */
function checkTurns(round: Round, checks: Checks): void {
  const turns = round.turns();
  const begun = turns.filter(({ what }) => what === "begin");
  checks.none(
    "no run began twice",
    begun.filter(({ runId }, index) => begun.findIndex((other) => other.runId === runId) !== index),
  );
  checks.none("no task ran twice at once", overlaps(round, begun, turns));
}

function overlaps({ killedAt }: Round, begun: readonly TurnLine[], turns: readonly TurnLine[]): readonly unknown[] {
  const endOf = (run: TurnLine): number =>
    turns.find(({ what, runId }) => what === "end" && runId === run.runId)?.at ?? killedAt.get(run.pid) ?? Infinity;
  return [...Map.groupBy(begun, ({ task }) => task).values()].flatMap((runs) => {
    const sorted = runs.toSorted((a, b) => a.at - b.at);
    return sorted.flatMap((run, index) => {
      const next = sorted[index + 1];
      return next !== undefined && next.at < endOf(run) ? [{ run, next, until: endOf(run) }] : [];
    });
  });
}
