/** Hosts killed at random while tasks, and steps of chains side by side, edit a repository in worktrees, are saved, and merged. */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { type Child, startChild } from "../../bench/ground/child.ts";
import { withFolder } from "../../bench/ground/folder.ts";
import { processesOf } from "../../bench/ground/leftovers.ts";
import { openPool, type Pool, type TaskRecord } from "../../src/index.ts";
import { Batches } from "./batches.ts";
import { checkStore, type Checks, type FaultsOptions } from "./checks.ts";
import { contentOf, fileOf, isChain, isMerged, steps, type WorkspaceHostOrder } from "./children/workspace-host.ts";
import { ended } from "./ended.ts";
import { Hosts } from "./hosts.ts";
import type { Random } from "./random.ts";

const mostKeys = 32;
/** Every so many, one is a chain. */
const chainsAmong = 3;
const slots = 3;
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
    const keys = keysOf(Math.min(mostKeys, Math.ceil(kills / 2)));
    const chains = keys.filter(isChain).length;
    const turns = keys.length - chains + chains * steps.length;
    const hosts = new Hosts({
      random: options.random,
      batches: new Batches(keys, slots),
      boot: (number) => {
        const order: WorkspaceHostOrder = { store, cwd: repository, slots, seed: options.seed + number };
        const more = { ...environment, NODE_COMPILE_CACHE: join(folder, "compiled") };
        return startChild(new URL("children/workspace-host.ts", import.meta.url), order, folder, more);
      },
      live: (host) => live(host, options.random),
    });
    await using watcher = await openPool({ cwd: repository, store, slots: 0, budgetUsd: 1_000 });
    const merging = mergeChains(watcher, chains);
    await hosts.killAll(kills);
    await hosts.finish(() => Promise.all([ended(watcher, turns), merging]));
    await checkWork(watcher, repository, options.checks, turns + chains);
    await watcher.close();

    console.log(
      `   ${String(kills)} hosts killed, ${String(keys.length - chains)} tasks in worktrees, ${String(chains)} chains`,
    );
    checkStore(store, options.checks);
    checkMerges(store, options.checks);
    options.checks.none("no process is left", processesOf(folder));
  });
}

function keysOf(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) =>
    index % chainsAmong === 0 ? `chain-${String(index / chainsAmong)}` : `key-${String(index)}`,
  );
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

/** Until it has seen so many tasks start, work, end and merge, and then a little longer. */
async function live(host: Child, random: Random): Promise<void> {
  const moments = Math.floor(random.next() * mostMoments);
  const late = pause(longestLifeMs);
  const over = Promise.race([late, host.exited]);
  for (let seen = 0; seen < moments; seen += 1) {
    const said = await Promise.race([
      host.says().then(
        () => true,
        () => false,
      ),
      over.then(() => false),
    ]);
    if (!said) return;
  }
  await pause(random.next() * longestPauseMs);
}

/** Asks for the merge of every chain that is done, as a user does; resolves when all merges have landed or failed to. */
async function mergeChains(pool: Pool, count: number): Promise<void> {
  const over = new Set<string>();
  while (over.size < count) {
    const { tasks } = await pool.list({ kind: "chain", limit: 2 * count });
    for (const { id, key = "", state } of tasks) {
      if (state === "running" || over.has(id)) continue;
      if (state === "completed" && isMerged(key)) await pool.merge(id, { wait: false });
      over.add(id);
    }
    await pause(50);
  }
  for (const { id } of await pool.merges.list({ limit: 1_000 })) await pool.merges.wait(id);
}

/** What is in the branch, on the refs, in the records and in the directories, against what was written. */
async function checkWork(pool: Pool, repository: string, checks: Checks, tasks: number): Promise<void> {
  const { tasks: records } = await pool.list({ limit: 2 * tasks });
  checks.equal("every task and step was kept once", records.length, tasks);
  checks.none(
    "every task completed",
    records
      .filter(({ state }) => state !== "completed")
      .map(({ id, state, result }) => ({ id, state, error: result?.error })),
  );
  const at = (commit: string, name: string): string => {
    try {
      return git(repository, "show", `${commit}:${fileOf(name)}`);
    } catch {
      return "nothing";
    }
  };
  const edits = records.filter(({ kind }) => kind === "task").map((record) => editOf(record, records));
  checks.none(
    "every byte is on the ref of its task or chain",
    edits.filter(({ owner, name }) => at(`refs/claude-pool/${owner.id}`, name) !== contentOf(name)),
  );
  checks.none(
    "every byte is in what the record says is saved",
    edits.filter(({ owner, name }) => at(owner.workspace?.saved?.commit ?? "", name) !== contentOf(name)),
  );
  checks.none(
    "what is merged is in the branch, byte for byte, and nothing else",
    edits.filter(({ owner, name }) => at("main", name) !== (isMerged(owner.key ?? "") ? contentOf(name) : "nothing")),
  );
  const names = git(repository, "ls-tree", "-r", "--name-only", "main").split("\n");
  checks.none(
    "nothing half written is in the branch",
    names.filter((name) => name.endsWith(".new")),
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

/** What a task or step wrote, and the record under whose name it is saved. */
function editOf(
  record: TaskRecord,
  records: readonly TaskRecord[],
): { readonly name: string; readonly owner: TaskRecord } {
  const owner = record.chainId === undefined ? record : records.find(({ id }) => id === record.chainId);
  return { name: record.prompt.replace("edit ", ""), owner: owner ?? record };
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
