/** Steps of a chain that work in one directory at the same time. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { beginRepository } from "../git-repository.ts";
import { eventOf, held, scriptedPool } from "./scripted-pool.ts";

test("a check takes nothing away that another step made while it ran, and has not passed", async () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "claude-pool-beside-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [begun, goOn] = [join(folder, "begun"), join(folder, "go-on")];
  for (const pipe of [begun, goOn]) execFileSync("mkfifo", [pipe]);
  const [bothStand, checked] = [held<undefined>(), held<undefined>()];
  const cwd = join(folder, "repository");
  mkdirSync(cwd);
  beginRepository(cwd);
  const found: boolean[] = [];
  const { pool } = await scriptedPool({ cwd, isolation: "worktree", slots: 2 }, async ({ prompt }, launch) => {
    if (prompt !== "make") {
      await bothStand.promise;
      return "done";
    }
    bothStand.release(undefined);
    await readFile(begun);
    writeFileSync(join(launch.cwd, "made.txt"), "made\n");
    await writeFile(goOn, "go on\n");
    await checked.promise;
    found.push(existsSync(join(launch.cwd, "made.txt")));
    return "done";
  });
  const check = { command: `echo begun > ${begun}; read line < ${goOn}` };
  const chain = await pool.submitChain([
    { name: "judge", prompt: "judge", needs: [], checks: [check], checkRetries: 0, continueOnError: true },
    { name: "make", prompt: "make", needs: [] },
  ]);
  const { data } = (await eventOf(pool, "task.checked")) as { readonly data: { readonly checks: readonly unknown[] } };
  checked.release(undefined);
  await chain.outcome();
  expect({ found, checks: data.checks }).toEqual({ found: [true], checks: [{ name: check.command, passed: false }] });
});
