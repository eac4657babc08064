import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { CheckResult, CheckSpec } from "../../src/core/workspace.ts";
import { runChecks } from "../../src/workspace/check.ts";
import { processesNaming } from "../e2e/real-pool.ts";
import { never, repository, type Worker } from "./landing-rig.ts";

async function checked(
  worker: Worker,
  checks: readonly (CheckSpec | string)[],
  signal = never,
): Promise<readonly CheckResult[]> {
  const { saved } = await worker.save();
  return runChecks(
    {
      checkout: worker.checkout,
      cwd: worker.path,
      owner: worker.taskId,
      tree: saved.tree,
      checks: checks.map((check) => (typeof check === "string" ? { command: check } : check)),
    },
    signal,
  );
}

describe("a check", () => {
  it("says of which tree it speaks, how it ended and what it printed, passed or failed", async () => {
    const worker = await repository().worker("t1");
    worker.write({ "b.txt": "b\n" });
    const { saved } = await worker.save();
    const results = await checked(worker, [
      { name: "good", command: "cat b.txt" },
      "echo no >&2; exit 3",
      "kill -s TERM $$",
    ]);
    const elapsedMs = expect.any(Number) as number;
    expect(results).toEqual([
      { name: "good", command: "cat b.txt", passed: true, exitCode: 0, output: "b\n", tree: saved.tree, elapsedMs },
      {
        name: "echo no >&2; exit 3",
        command: "echo no >&2; exit 3",
        passed: false,
        exitCode: 3,
        output: "no\n",
        tree: saved.tree,
        elapsedMs,
      },
      {
        name: "kill -s TERM $$",
        command: "kill -s TERM $$",
        passed: false,
        output: "Ended by SIGTERM.",
        tree: saved.tree,
        elapsedMs,
      },
    ]);
  });

  it("keeps the end of what it prints, whole characters and no more than 64 KB", async () => {
    const worker = await repository().worker("t1");
    const [result] = await checked(worker, ["yes \u00fc\u00fc | head -c 1000001; echo; echo end"]);
    const { output = "" } = result ?? {};
    expect([
      output.slice(0, 40),
      output.endsWith("\nend\n"),
      output.includes("\ufffd\u00fc"),
      Buffer.byteLength(output) < 65_600,
    ]).toEqual([expect.stringMatching(/^\[cut: the first 9\d+ bytes\]\n/), true, false, true]);
  });

  it("is ended, with all it started, when it takes too long", async () => {
    const worker = await repository().worker("t1");
    const command = `tail -f /dev/null '${worker.path}' & tail -f /dev/null '${worker.path}'`;
    const [result] = await checked(worker, [{ command, timeoutMs: 200 }]);
    expect([result, processesNaming(`null ${worker.path}`)]).toEqual([
      expect.objectContaining({ passed: false, timedOut: true }),
      [],
    ]);
  });

  it("may leave files of its own: they are removed, and the evidence stands", async () => {
    const rig = repository({ ".gitignore": "ignored/\n", "a.txt": "a\n" });
    const worker = await rig.worker("t1");
    worker.write({ "work.txt": "w\n" });
    const [result] = await checked(worker, ["mkdir -p out/deep ignored; touch out/deep/x ignored/x 'a b'"]);
    expect([
      result?.passed,
      worker.status(),
      existsSync(join(worker.path, "out")),
      existsSync(join(worker.path, "ignored/x")),
    ]).toEqual([true, ["?? work.txt"], false, true]);
  });

  it("has proven nothing when files of the work change meanwhile: they are put back, and what they were is on a ref", async () => {
    const rig = repository({ "a.txt": "a\n", "gone.txt": "g\n", "\u00fc \n.txt": "u\n" });
    const worker = await rig.worker("t1");
    worker.write({ "work.txt": "w\n", "a.txt": "A\n" });
    worker.git("add", "work.txt");
    const status = worker.status();
    const change =
      "echo fixed > a.txt; rm gone.txt; mkdir gone.txt; touch gone.txt/in; echo m >> \u00fc*; chmod +x work.txt";
    const [result] = await checked(worker, [change]);
    const ref = /is on (refs\/\S+)\./.exec(result?.output ?? "")?.[1] ?? "";
    expect([
      result,
      worker.status(),
      worker.read("a.txt"),
      worker.read("gone.txt"),
      rig.git("cat-file", "blob", `${ref}:a.txt`),
    ]).toEqual([
      expect.objectContaining({ passed: false, exitCode: 0, output: expect.stringContaining('"a.txt"') as string }),
      status,
      "A\n",
      "g\n",
      "fixed",
    ]);
  });

  it("does not run on anything but what was saved", async () => {
    const worker = await repository().worker("t1");
    worker.write({ "work.txt": "w\n" });
    const { saved } = await worker.save();
    worker.write({ "work.txt": "later\n" });
    const results = await runChecks(
      {
        checkout: worker.checkout,
        cwd: worker.path,
        owner: "t1",
        tree: saved.tree,
        checks: [{ command: "touch it-ran" }],
      },
      never,
    );
    expect([results, worker.read("work.txt"), worker.status()]).toEqual([
      [expect.objectContaining({ passed: false, output: expect.stringContaining('"work.txt"') as string })],
      "later\n",
      ["?? work.txt"],
    ]);
  });

  it("is cut short by the signal, with all it started, and what it changed is put back", async () => {
    const worker = await repository().worker("t1");
    const caller = new AbortController();
    process.once("SIGUSR2", () => {
      caller.abort("cancel");
    });
    const command = `echo x > a.txt; kill -s USR2 ${String(process.pid)}; tail -f /dev/null '${worker.path}'`;
    await expect(checked(worker, [command], caller.signal)).rejects.toMatchObject({ code: "aborted" });
    expect([worker.status(), processesNaming(`null ${worker.path}`)]).toEqual([[], []]);
  });

  it("finds its place, the user's checkout and a number of its own in the environment, and no variable that misleads git", async () => {
    const rig = repository();
    const worker = await rig.worker("t1");
    process.env.GIT_DIR = "/nonexistent";
    const [result] = await checked(worker, [
      'echo "$CLAUDE_POOL_WORKTREE|$CLAUDE_POOL_CHECKOUT|$CLAUDE_POOL_PLACE|$PWD"; git rev-parse --show-toplevel',
    ]).finally(() => delete process.env.GIT_DIR);
    expect(result?.output).toBe(`${worker.path}|${rig.path}|1|${worker.path}\n${worker.path}\n`);
  });

  it("does not see an edit hidden behind the index: neither by its flags nor by its times", async () => {
    const worker = await repository().worker("t1");
    const { saved } = await worker.save();
    worker.git("update-index", "--assume-unchanged", "a.txt");
    worker.write({ "a.txt": "b\n" });
    const { checkout, path: cwd } = worker;
    const [result] = await runChecks(
      { checkout, cwd, owner: "t1", tree: saved.tree, checks: [{ command: "true" }] },
      never,
    );
    expect(result?.passed).toBe(false);
  });
});
