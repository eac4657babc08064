/** Eight worktrees of this repository, ready together, against `git worktree add` eight times side by side. */
import { execFile, execFileSync } from "node:child_process";
import { realpathSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Bench, median, round, timed } from "../figure.ts";
import { withFolder } from "../ground/folder.ts";
import { systemProcesses } from "../../src/runner/processes.ts";
import { openWorkspaces } from "../../src/workspace/open-workspaces.ts";

const together = 8;
const run = promisify(execFile);

export const worktrees: Bench = ({ quick }) =>
  withFolder(async (folder) => {
    const checkout = join(folder, "repository");
    execFileSync("git", ["clone", "--quiet", "--no-hardlinks", repositoryHere(), checkout]);
    const pool: number[] = [];
    const plain: number[] = [];
    let brokenOff = 0;
    for (let number = 0; number < (quick ? 3 : 9); number += 1) {
      await settled();
      const start = performance.now();
      brokenOff += await addPlainly(checkout);
      plain.push((performance.now() - start) / 1_000);
      await removePlainly(checkout);
      pool.push(await prepareAll(checkout));
    }
    const [own, bare] = [median(pool), median(plain)];
    const details = {
      pool_s: round(own),
      bare_s: round(bare),
      slowest_s: round(Math.max(...pool)),
      rounds: pool.length,
      bare_broken_off: brokenOff,
    };
    return [
      {
        id: "worktrees_ready",
        what: `${String(together)} worktrees of this repository ready together`,
        value: round(own),
        unit: "s",
        target: { atMost: 2 },
        details,
      },
      {
        id: "worktrees_against_git",
        what: `the same, against ${String(together)} \`git worktree add\` side by side`,
        value: round(own / bare),
        unit: "times",
        target: { atMost: 3 },
        details,
      },
    ];
  });

/** The seconds from the first call until the last is ready; then they are removed. */
async function prepareAll(checkout: string): Promise<number> {
  const workspaces = openWorkspaces({ processes: systemProcesses() });
  const repository = realpathSync(join(checkout, ".git"));
  const place = (number: number): string =>
    workspaces.pathOf({ repository, poolId: "bench", name: `worktree-${String(number)}` });
  const numbers = Array.from({ length: together }, (_, index) => index);
  const signal = new AbortController().signal;
  const request = {
    poolId: "bench",
    isolation: "worktree",
    cwd: checkout,
    baseRef: "HEAD",
    start: "base",
    include: [],
  } as const;
  await settled();
  const ms = await timed(() =>
    Promise.all(
      numbers.map((number) =>
        workspaces.prepare({ ...request, owner: `task-${String(number)}`, path: place(number) }, signal),
      ),
    ),
  );
  for (const number of numbers) await workspaces.remove(place(number), repository);
  return ms / 1_000;
}

/** What was removed before is written to the disk first: else each side pays for the files that the other took away. */
async function settled(): Promise<void> {
  await run("sync");
}

/** Resolves to how many of them git broke off: it stumbles over another's worktree that is only half registered. */
async function addPlainly(checkout: string): Promise<number> {
  const names = Array.from({ length: together }, (_, index) => `plain-${String(index)}`);
  const add = async (name: string): Promise<number> => {
    for (let failures = 0; ; failures += 1) {
      try {
        await run("git", ["worktree", "add", "--force", "-B", name, join("..", name)], { cwd: checkout });
        return failures;
      } catch (error) {
        if (failures === maxFailures) throw error;
      }
    }
  };
  return (await Promise.all(names.map(add))).reduce((sum, failures) => sum + failures, 0);
}

const maxFailures = 20;

async function removePlainly(checkout: string): Promise<void> {
  for (let number = 0; number < together; number += 1) {
    const name = `plain-${String(number)}`;
    await run("git", ["worktree", "remove", "--force", join("..", name)], { cwd: checkout });
    await run("git", ["branch", "-D", name], { cwd: checkout });
  }
}

function repositoryHere(): string {
  return execFileSync("git", ["rev-parse", "--show-toplevel"], { cwd: import.meta.dirname, encoding: "utf8" }).trim();
}
