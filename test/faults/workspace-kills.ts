/** Hosts killed at random while their tasks edit a repository in worktrees, are saved, and merged. */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { type Child, startChild } from "../../bench/ground/child.ts";
import { withFolder } from "../../bench/ground/folder.ts";
import { processesOf } from "../../bench/ground/leftovers.ts";
import { openPool, type Pool } from "../../src/index.ts";
import { Batches } from "./batches.ts";
import { checkStore, type Checks, type FaultsOptions } from "./checks.ts";
import { contentOf, isMerged, type WorkspaceHostOrder } from "./children/workspace-host.ts";
import { ended } from "./ended.ts";

const mostTasks = 50;
const slots = 3;
const longestOpeningMs = 400;
/** What a host sees happen before it is killed: at most so much, and no more than comes in this time. */
const mostMoments = 12;
const longestLifeMs = 2_000;
/** From such a moment to the kill: a few calls of git. */
const longestPauseMs = 60;

export async function workspaceKills(options: FaultsOptions): Promise<void> {
  await withFolder(async (folder) => {
    const repository = makeRepository(folder);
    const store = join(folder, "pool.db");
    const kills = Math.ceil(options.kills / 2);
    // As many as so many hosts get done between them before they die, so that the kills meet every phase of the work.
    const tasks = Math.min(mostTasks, Math.ceil(kills / 2));
    const hosts = new Hosts(folder, repository, store, options, tasks);
    await using watcher = await openPool({ cwd: repository, store, slots: 0, budgetUsd: 1_000 });
    await hosts.killAll(kills);
    await hosts.finish(watcher, tasks);
    await checkWork(watcher, repository, options.checks, tasks);
    await watcher.close();

    console.log(`   ${String(kills)} hosts killed, ${String(tasks)} tasks in worktrees`);
    checkStore(store, options.checks);
    checkMerges(store, options.checks);
    options.checks.none("no process is left", processesOf(folder));
  });
}

const environment = { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" };

function git(cwd: string, ...args: readonly string[]): string {
  return execFileSync("git", args, { cwd, encoding: "utf8", stdio: "pipe", env: { ...process.env, ...environment } });
}

function makeRepository(folder: string): string {
  const repository = join(folder, "repository");
  mkdirSync(repository);
  git(repository, "init", "-q", "-b", "main");
  git(repository, "config", "user.name", "Somebody");
  git(repository, "config", "user.email", "somebody@example.com");
  for (let index = 0; index < 20; index += 1)
    writeFileSync(join(repository, `file-${String(index)}.txt`), contentOf("base"));
  git(repository, "add", "-A");
  git(repository, "commit", "-q", "-m", "Begin");
  return repository;
}

class Hosts {
  readonly #folder: string;
  readonly #repository: string;
  readonly #store: string;
  readonly #options: FaultsOptions;
  readonly #alive = new Map<Child, Promise<unknown>>();
  /** The next one, which is already up, so that no kill waits for a program to start. */
  #next: Child | undefined;
  readonly #batches: Batches;
  #started = 0;

  constructor(folder: string, repository: string, store: string, options: FaultsOptions, tasks: number) {
    this.#folder = folder;
    this.#repository = repository;
    this.#store = store;
    this.#options = options;
    const keys = Array.from({ length: tasks }, (_, index) => `key-${String(index)}`);
    const count = Math.ceil(tasks / slots);
    this.#batches = new Batches(
      Array.from({ length: count }, (_, index) => keys.slice(index * slots, (index + 1) * slots)),
    );
  }

  async killAll(kills: number): Promise<void> {
    const { random } = this.#options;
    for (let kill = 0; kill < kills; kill += 1) {
      const atOnce = 1 + (Math.floor(kill / 10) % 2);
      while (this.#alive.size < atOnce) this.#start(1);
      const [[victim, ready] = []] = this.#alive;
      if (victim === undefined || ready === undefined) throw new Error("no host to kill");
      if (random.chance(0.2)) await pause(random.next() * longestOpeningMs);
      else await ready.then(() => this.#live(victim));
      this.#alive.delete(victim);
      await victim.kill();
    }
  }

  /** Until it has seen so many tasks start, work, end and merge, and then a little longer. */
  async #live(host: Child): Promise<void> {
    const { random } = this.#options;
    const moments = Math.floor(random.next() * mostMoments);
    const late = pause(longestLifeMs);
    const ended = Promise.race([late, host.exited]);
    for (let seen = 0; seen < moments; seen += 1) {
      const said = await Promise.race([
        host.says().then(
          () => true,
          () => false,
        ),
        ended.then(() => false),
      ]);
      if (!said) return;
    }
    await pause(random.next() * longestPauseMs);
  }

  /** Two hosts finish what is left and close as they should. */
  async finish(watcher: Pool, tasks: number): Promise<void> {
    for (const child of this.#alive.keys()) await child.kill();
    this.#alive.clear();
    await this.#batches.settled();
    const last = [this.#start(this.#batches.left), this.#start(0)];
    await ended(watcher, tasks);
    for (const child of last) child.tell("close");
    await Promise.all([...last.map((child) => child.exited), this.#next?.kill()]);
  }

  #start(batches: number): Child {
    const child = this.#next ?? this.#boot();
    this.#next = this.#boot();
    const given = this.#batches.take(batches);
    child.tell(JSON.stringify(given.flat()));
    this.#alive.set(child, this.#batches.follow(child, given));
    return child;
  }

  #boot(): Child {
    this.#started += 1;
    const order: WorkspaceHostOrder = {
      store: this.#store,
      cwd: this.#repository,
      slots,
      seed: this.#options.seed + this.#started,
    };
    const more = { ...environment, NODE_COMPILE_CACHE: join(this.#folder, "compiled") };
    return startChild(new URL("children/workspace-host.ts", import.meta.url), order, this.#folder, more);
  }
}

/** What is in the branch, on the refs and in the directories, against what was written. */
async function checkWork(pool: Pool, repository: string, checks: Checks, tasks: number): Promise<void> {
  const { tasks: records } = await pool.list({ limit: 2 * tasks });
  const keyOf = (prompt: string): string => prompt.replace("edit ", "");
  const at = (ref: string, key: string): string => {
    try {
      return git(repository, "show", `${ref}:work/${key}.txt`);
    } catch {
      return "nothing";
    }
  };
  checks.none(
    "every task completed",
    records
      .filter(({ state }) => state !== "completed")
      .map(({ id, state, result }) => ({ id, state, error: result?.error })),
  );
  checks.none(
    "every byte of every task is on its ref",
    records
      .filter(({ id, prompt }) => at(`refs/claude-pool/${id}`, keyOf(prompt)) !== contentOf(keyOf(prompt)))
      .map(({ id }) => id),
  );
  checks.none(
    "every merged task is in the branch, byte for byte",
    records
      .map(({ prompt }) => keyOf(prompt))
      .filter((key) => at("main", key) !== (isMerged(key) ? contentOf(key) : "nothing")),
  );
  checks.equal("the user's checkout is clean and as its branch", git(repository, "status", "--porcelain"), "");
  checks.equal(
    "the repository is whole",
    git(repository, "fsck", "--connectivity-only", "--no-dangling", "--no-progress"),
    "",
  );
  const listed = await pool.worktrees.list();
  checks.none(
    "no worktree is unexplained",
    listed.filter(({ explanation }) => explanation === "unknown").map(({ path }) => path),
  );
  await pool.worktrees.prune();
  checks.equal(
    "nothing is left after prune",
    git(repository, "worktree", "list", "--porcelain").match(/^worktree /gm)?.length,
    1,
  );
}

const rules: Readonly<Record<string, string>> = {
  "every merge has ended": `SELECT id, state FROM merge WHERE state IN ('queued', 'merging')`,
  "no task was merged twice": `SELECT task_seq, COUNT(*) AS times FROM merge WHERE state = 'merged' GROUP BY task_seq HAVING times > 1`,
  "no task waits for a merge": `SELECT id FROM task WHERE merge_id IS NOT NULL`,
};

function checkMerges(store: string, checks: Checks): void {
  const db = new DatabaseSync(store, { readOnly: true });
  for (const [title, query] of Object.entries(rules)) checks.none(title, db.prepare(query).all());
  db.close();
}
