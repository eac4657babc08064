/**
 * A host whose tasks and chains edit a repository in worktrees, about to be killed. It opens the pool when it is told their
 * keys, which are no harm if they are known; then it works, and merges, until it is told to close.
 */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { openPool, type Pool, type PoolEvent, type StepSpec } from "../../../src/index.ts";
import { completed, scriptedRunner } from "../../../src/testing/index.ts";
import { random } from "../random.ts";

export interface WorkspaceHostOrder {
  readonly store: string;
  readonly cwd: string;
  readonly slots: number;
  readonly seed: number;
}

/** What is written under a name, told by it alone, so that whoever counts afterwards knows it. */
export function contentOf(name: string): string {
  return `${name}\n`.repeat(200);
}

/** Is the work of the task or chain with this key merged, or only saved? */
export function isMerged(key: string): boolean {
  return !key.endsWith("5");
}

export function isChain(key: string): boolean {
  return key.startsWith("chain");
}

/** Three in one directory at the same time, and one after them. */
export const steps = ["one", "two", "three", "last"] as const;

function stepsOf(key: string): readonly StepSpec[] {
  const [one, two, three, last] = steps;
  const besides = [one, two, three].map((name) => ({ name, prompt: `edit ${key}-${name}`, needs: [] }));
  return [...besides, { name: last, prompt: `edit ${key}-${last}`, needs: [one, two, three] }];
}

const longestPauseMs = 40;

/** What is told while it happens, so that whoever kills can choose what to interrupt, however fast the machine is. */
const told: ReadonlySet<string> = new Set<PoolEvent["type"]>([
  "task.started",
  "task.workspace",
  "task.finished",
  "merge.queued",
  "merge.started",
  "merge.ended",
]);

async function tell(pool: Pool): Promise<void> {
  for await (const { type } of pool.events()) if (told.has(type)) process.send?.(type);
}

/** In four ways: left as it is, staged, committed, and committed with an edit on top. */
function leave(cwd: string, name: string): void {
  const way = wayOf(name);
  const git = (...args: readonly string[]): void => void execFileSync("git", args, { cwd, stdio: "ignore" });
  if (way === 0) return;
  // Not everything: beside it others may be writing.
  git("add", fileOf(name));
  if (way === 1) return;
  // Empty where an earlier attempt got so far.
  git("commit", "-q", "--allow-empty", "-m", name);
  if (way === 2) return;
  writeFileSync(join(cwd, fileOf(`${name}-note`)), contentOf(name));
}

/** Of those that share a directory at the same time only one calls git: two would stumble over each other's lock. */
function wayOf(name: string): number {
  return /-(two|three)$/.test(name) ? 0 : Number(/\d+/.exec(name)) % 4;
}

/** In the repository. */
export function fileOf(name: string): string {
  return join("work", `${name}.txt`);
}

/** First a part of it; then, as editors do, a file beside it that takes its place. */
async function edit(cwd: string, name: string, between: () => Promise<unknown>): Promise<void> {
  const file = join(cwd, fileOf(name));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, contentOf(name).slice(0, 100));
  await between();
  writeFileSync(`${file}.new`, contentOf(name));
  renameSync(`${file}.new`, file);
}

if (process.send !== undefined) {
  process.once("disconnect", () => process.exit(1));
  const order = JSON.parse(process.argv[2] ?? "") as WorkspaceHostOrder;
  const chance = random(order.seed);
  const runner = scriptedRunner(async (turn, launch, { signal }) => {
    const [, name = "none"] = /edit ([\w-]+)/.exec(turn.prompt) ?? [];
    const wait = (): Promise<unknown> => pause(longestPauseMs * chance.next(), undefined, { signal });
    await edit(launch.cwd, name, wait);
    leave(launch.cwd, name);
    await wait();
    process.send?.("worked");
    return completed(`did ${name}`, { costMicrodollars: 10 });
  });
  // What is compiled so far is there for the hosts after this one, however it ends.
  flushCompileCache();
  const [keys] = (await once(process, "message")) as [string];
  const given = JSON.parse(keys) as readonly string[];
  const pool = await openPool({
    cwd: order.cwd,
    store: order.store,
    slots: order.slots,
    runner,
    worktreeIsolation: true,
  });
  process.send("ready");
  const [chains = [], tasks = []] = [true, false].map((kind) => given.filter((key) => isChain(key) === kind));
  const specs = tasks.map((key) => ({
    prompt: `edit ${key}`,
    key,
    merge: isMerged(key) ? ("auto" as const) : ("manual" as const),
  }));
  if (specs.length > 0) await pool.submitMany(specs);
  for (const key of chains) await pool.submitChain(stepsOf(key), { key });
  process.send("submitted");
  void tell(pool);
  process.once("message", () => void pool.close().then(() => process.disconnect()));
}
