/** Hosts killed at random while they carry out chains with retries, reviews and recoveries. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { startChild } from "../../bench/ground/child.ts";
import { withFolder } from "../../bench/ground/folder.ts";
import { processesOf } from "../../bench/ground/leftovers.ts";
import { openPool, PoolError, type Pool } from "../../src/index.ts";
import { Batches } from "./batches.ts";
import { checkStore, type Checks, type FaultsOptions } from "./checks.ts";
import type { ChainHostOrder } from "./children/chain-host.ts";
import { Hosts } from "./hosts.ts";
import type { Random } from "./random.ts";

const chains = 50;
const slots = 4;
const longestLifeMs = 150;
const patienceMs = 120_000;
const reviewEveryMs = 20;

export async function chainKills(options: FaultsOptions): Promise<void> {
  await withFolder(async (folder) => {
    const store = join(folder, "pool.db");
    const kills = Math.ceil(options.kills / 2);
    const keys = Array.from({ length: chains }, (_, index) => `chain ${String(index)}`);
    const hosts = new Hosts({
      random: options.random,
      batches: new Batches(keys, Math.max(1, Math.floor((2 * chains) / kills))),
      boot: (number) => {
        const order: ChainHostOrder = { store, cwd: folder, slots, seed: options.seed + number };
        return startChild(new URL("children/chain-host.ts", import.meta.url), order, folder);
      },
      live: () => pause(options.random.next() * longestLifeMs),
    });
    await using watcher = await openPool({ cwd: folder, store, slots: 0, budgetUsd: 1_000 });
    const over = new AbortController();
    const reviewing = review(watcher, options.random, over.signal);
    await hosts.killAll(kills);
    await hosts.finish(() => allEnded(watcher));
    over.abort();
    const reviews = await reviewing;
    await watcher.close();

    console.log(`   ${String(kills)} hosts killed, ${String(chains)} chains, ${reviews}`);
    checkStore(store, options.checks);
    checkChains(store, options.checks);
    options.checks.none("no process is left", processesOf(folder));
  });
}

/** Approves and rejects what waits, until it is told to stop; resolves to how often. */
async function review(pool: Pool, random: Random, signal: AbortSignal): Promise<string> {
  let [approved, rejected] = [0, 0];
  while (!signal.aborted) {
    for (const task of (await pool.listReviews()).tasks) {
      try {
        if (random.chance(0.3)) {
          await pool.reject(task.id, "not good enough");
          rejected += 1;
        } else {
          await pool.approve(task.id);
          approved += 1;
        }
      } catch (error) {
        // Its chain was over before the word came.
        if (!(error instanceof PoolError) || error.code !== "invalid_transition") throw error;
      }
    }
    await pause(reviewEveryMs);
  }
  return `${String(approved)} approvals, ${String(rejected)} rejections`;
}

async function allEnded(pool: Pool): Promise<void> {
  const start = performance.now();
  for (;;) {
    const { tasks } = await pool.list({ kind: "chain", limit: 2 * chains });
    const open = tasks.filter((chain) => chain.state === "running");
    if (tasks.length >= chains && open.length === 0) return;
    if (performance.now() - start > patienceMs) {
      const [first] = open;
      const progress = first === undefined ? undefined : await pool.chainProgress(first.id);
      throw new Error(`Not all chains end: ${JSON.stringify({ status: await pool.status(), progress }, null, 1)}`);
    }
    await pause(50);
  }
}

/** The rules of chains at rest: each is a query for what breaks it. */
const rules: Readonly<Record<string, string>> = {
  "every chain was kept once": `SELECT COUNT(*) AS chains FROM task WHERE kind = 'chain' HAVING chains <> ${String(chains)}`,
  "no step has two tasks": `SELECT chain_seq, step, COUNT(*) AS tasks FROM task WHERE chain_seq IS NOT NULL
      GROUP BY chain_seq, step HAVING tasks > 1`,
  "no step committed twice": `SELECT task_seq, data ->> 'step' AS step, COUNT(*) AS times FROM event WHERE type = 'chain.step_finished'
      GROUP BY task_seq, step HAVING times > 1`,
  "no step that started is lost": `SELECT started.task_seq, started.data FROM event AS started WHERE started.type = 'chain.step_started'
      AND NOT EXISTS (SELECT 1 FROM event AS finished WHERE finished.type = 'chain.step_finished'
        AND finished.task_seq = started.task_seq AND finished.data ->> 'step' = started.data ->> 'step')`,
  "every step is over": `SELECT * FROM chain_step WHERE state NOT IN ('completed', 'failed', 'cancelled', 'skipped')`,
  "every step is as its task": `SELECT chain_step.name, chain_step.state, task.state AS of_task FROM chain_step
      JOIN task ON task.id = chain_step.task_id WHERE chain_step.state <> task.state`,
  "a completed chain has done all its steps": `SELECT task.id, name, chain_step.state FROM task JOIN chain_step ON chain_step.chain_seq = task.seq
      WHERE kind = 'chain' AND task.state = 'completed' AND chain_step.state <> 'completed' AND name <> 'right'`,
  "a failed chain has a step that failed": `SELECT id FROM task WHERE kind = 'chain' AND state = 'failed'
      AND NOT EXISTS (SELECT 1 FROM chain_step WHERE chain_step.chain_seq = task.seq AND chain_step.state = 'failed')`,
  "no chain was cancelled": `SELECT id FROM task WHERE kind = 'chain' AND state = 'cancelled'`,
  "no step began before what it needs was done": `SELECT later.name, later.started_at_ms, two.completed_at_ms FROM chain_step AS later
      JOIN chain_step AS two ON two.chain_seq = later.chain_seq AND two.name = 'two'
      WHERE later.name IN ('left', 'right') AND later.started_at_ms < two.completed_at_ms`,
  "a chain costs what its runs cost": `SELECT task.id, answer.result ->> 'costMicrodollars' AS cost,
      (SELECT COALESCE(SUM(run.cost), 0) FROM task AS step JOIN run ON run.task_seq = step.seq WHERE step.chain_seq = task.seq) AS ledger
      FROM task JOIN task_result AS answer ON answer.seq = task.seq WHERE kind = 'chain' AND cost <> ledger`,
  "no chain is counted as running": "SELECT chains_running FROM pool WHERE chains_running <> 0",
};

function checkChains(store: string, checks: Checks): void {
  const db = new DatabaseSync(store, { readOnly: true });
  for (const [title, query] of Object.entries(rules)) checks.none(title, db.prepare(query).all());
  db.close();
}
