/**
 * A host whose tasks edit a repository in worktrees, about to be killed. It opens the pool when it is told the keys of tasks
 * to submit, which are no harm if they are known; then it works, and merges, until it is told to close.
 */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { openPool, type Pool, type PoolEvent } from "../../../src/index.ts";
import { completed, scriptedRunner } from "../../../src/testing/index.ts";
import { random } from "../random.ts";

export interface WorkspaceHostOrder {
  readonly store: string;
  readonly cwd: string;
  readonly slots: number;
  readonly seed: number;
}

/** What a task writes, told by its key alone, so that whoever counts afterwards knows it. */
export function contentOf(key: string): string {
  return `${key}\n`.repeat(200);
}

/** Those whose work is only saved, never merged. */
export function isMerged(key: string): boolean {
  return !key.endsWith("5");
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
function leave(cwd: string, key: string, way: number): void {
  const git = (...args: readonly string[]): void => void execFileSync("git", args, { cwd, stdio: "ignore" });
  if (way === 0) return;
  git("add", "-A");
  if (way === 1) return;
  // Empty where an earlier attempt got so far.
  git("commit", "-q", "--allow-empty", "-m", key);
  if (way === 2) return;
  writeFileSync(join(cwd, "work", `${key}-note.txt`), contentOf(key));
}

if (process.send !== undefined) {
  process.once("disconnect", () => process.exit(1));
  const order = JSON.parse(process.argv[2] ?? "") as WorkspaceHostOrder;
  const chance = random(order.seed);
  const runner = scriptedRunner(async (turn, launch, { signal }) => {
    const key = /key-\d+/.exec(turn.prompt)?.[0] ?? "none";
    const file = join("work", `${key}.txt`);
    mkdirSync(join(launch.cwd, "work"), { recursive: true });
    writeFileSync(join(launch.cwd, file), contentOf(key).slice(0, 100));
    await pause(longestPauseMs * chance.next(), undefined, { signal });
    writeFileSync(join(launch.cwd, file), contentOf(key));
    leave(launch.cwd, key, Number(key.slice(4)) % 4);
    await pause(longestPauseMs * chance.next(), undefined, { signal });
    process.send?.("worked");
    return completed(`did ${key}`, { costMicrodollars: 10 });
  });
  // What is compiled so far is there for the hosts after this one, however it ends.
  flushCompileCache();
  const [keys] = (await once(process, "message")) as [string];
  const pool = await openPool({
    cwd: order.cwd,
    store: order.store,
    slots: order.slots,
    runner,
    worktreeIsolation: true,
  });
  process.send("ready");
  const specs = (JSON.parse(keys) as readonly string[]).map((key) => ({
    prompt: `edit ${key}`,
    key,
    merge: isMerged(key) ? ("auto" as const) : ("manual" as const),
  }));
  if (specs.length > 0) await pool.submitMany(specs);
  process.send("submitted");
  void tell(pool);
  process.once("message", () => void pool.close().then(() => process.disconnect()));
}
