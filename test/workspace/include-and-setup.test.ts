import { existsSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { copyIgnored } from "../../src/workspace/include.ts";
import { setUp } from "../../src/workspace/setup.ts";
import { never, repository, type Rig, type Worker } from "./landing-rig.ts";

function copied(rig: Rig, worker: Worker, patterns: readonly string[], isFresh = true): Promise<readonly string[]> {
  return copyIgnored({ from: rig.path, to: worker.checkout, patterns, isFresh }, never);
}

describe("copies of ignored files", () => {
  it("are those that .worktreeinclude and the list name, in git's own syntax, and that git ignores", async () => {
    const rig = repository({
      ".gitignore": ".env*\nsecrets/\n*.key\nlogs/\n",
      ".worktreeinclude": "# local\n.env*\n!.env.old\n*.key\n",
      "tracked.key.txt": "t\n",
    });
    rig.write({
      ".env": "1\n",
      ".env.old": "2\n",
      "sub dir/.env.\u00fc\n": "3\n",
      "a.key": "4\n",
      "secrets/deep/x": "5\n",
      "logs/big": "6\n",
      "untracked.txt": "7\n",
      ":(top)b.key": "8\n",
    });
    rig.git("add", "-f", "a.key");
    const worker = await rig.worker("t1");
    const paths = await copied(rig, worker, ["/secrets/", "untracked.txt"]);
    const expected = [".env", ":(top)b.key", "secrets/deep/x", "sub dir/.env.\u00fc\n"];
    expect([
      [...paths].sort(),
      expected.map((path) => worker.read(path)),
      worker.status(),
      existsSync(join(worker.path, "logs")),
    ]).toEqual([expected, ["1\n", "8\n", "5\n", "3\n"], [], false]);
  });

  it("are none without patterns, nor where the directory's own .gitignore would let them be saved as work", async () => {
    const rig = repository();
    const worker = await rig.worker("t1");
    rig.commit("Ignore", { ".gitignore": ".env\n" });
    rig.write({ ".env": "1\n" });
    expect([await copied(rig, worker, []), await copied(rig, worker, [".env"]), worker.status()]).toEqual([[], [], []]);
  });

  it("keep links as links, modes as modes, and are never written through a link", async () => {
    const rig = repository({ ".gitignore": "local/*\nout/x\nlink\n", "keep.txt": "k\n" });
    const worker = await rig.worker("t1");
    const outside = join(rig.path, "..", "outside");
    rig.write({ "local/tool": "#!/bin/sh\n", "out/x": "x\n", "../outside/y": "y\n" });
    rig.git("update-index", "--refresh");
    symlinkSync("/etc/passwd", join(rig.path, "link"));
    symlinkSync(outside, join(worker.path, "out"));
    const paths = await copied(rig, worker, ["local/", "out/x", "link"]);
    expect([[...paths].sort(), readlinkSync(join(worker.path, "link")), existsSync(join(outside, "x"))]).toEqual([
      ["link", "local/tool"],
      "/etc/passwd",
      false,
    ]);
  });

  it("are made equal to the user's for a fresh start, and where work goes on only what is missing is copied", async () => {
    const rig = repository({ ".gitignore": ".env\nother\n" });
    rig.write({ ".env": "user's\n", other: "o\n" });
    const worker = await rig.worker("t1");
    worker.write({ ".env": "worker's\n" });
    const going = [await copied(rig, worker, [".env", "other"], false), worker.read(".env")];
    const fresh = [await copied(rig, worker, [".env", "other"]), worker.read(".env")];
    const again = await copied(rig, worker, [".env", "other"]);
    expect([going, fresh, again]).toEqual([[["other"], "worker's\n"], [[".env"], "user's\n"], []]);
  });

  it("leave repositories inside the repository alone, the pool's own directories among them", async () => {
    const rig = repository({ ".gitignore": "vendor/\n" });
    writeFileSync(join(rig.repository, "info", "exclude"), "/.claude/worktrees/\n");
    rig.write({ "vendor/plain": "p\n", "vendor/inner/file": "f\n" });
    rig.git("init", "-q", "vendor/inner");
    const [first, second] = [await rig.worker("t1"), await rig.worker("t2")];
    first.write({ "vendor/plain": "of the other\n" });
    expect(await copied(rig, second, ["vendor/", ".claude/", "*"])).toEqual(["vendor/plain"]);
  });
});

describe("a set-up command", () => {
  const command = 'echo "$CLAUDE_POOL_PLACE" >> ran';
  async function prepared() {
    const rig = repository({ ".gitignore": "ran\n", "lock.json": "{}\n" });
    const worker = await rig.worker("t1");
    const { checkout, workspace } = worker;
    const wanted = { checkout, owner: "t1", command, timeoutMs: 10_000, commit: workspace.baseCommit };
    return { worker, wanted, times: () => readFileSync(join(worker.path, "ran"), "utf8").split("\n").length - 1 };
  }

  it("runs once, and again when the command or the base is another", async () => {
    const { wanted, times } = await prepared();
    const seen: number[] = [];
    for (const next of [
      wanted,
      wanted,
      { ...wanted, commit: "another" },
      { ...wanted, commit: "another", command: `${command} #` },
    ]) {
      await setUp(next, never);
      seen.push(times());
    }
    expect(seen).toEqual([1, 1, 2, 3]);
  });

  it("leaves nothing that would be saved as the task's work, and what stood there stays", async () => {
    const { worker, wanted } = await prepared();
    worker.write({ "work.txt": "w\n" });
    await setUp({ ...wanted, command: "echo changed > lock.json; echo n > new.txt; echo > ran" }, never);
    expect([
      worker.status(),
      worker.read("lock.json"),
      worker.read("work.txt"),
      existsSync(join(worker.path, "ran")),
    ]).toEqual([["?? work.txt"], "{}\n", "w\n", true]);
  });

  it("fails the workspace with the end of what it printed, and is tried again", async () => {
    const { wanted, times } = await prepared();
    const failing = { ...wanted, command: `${command}; yes no | head -c 9000; echo the reason >&2; exit 5` };
    for (const attempt of [1, 2]) {
      await expect(setUp(failing, never)).rejects.toMatchObject({
        code: "workspace_failed",
        message: expect.stringMatching(/code 5[\s\S]{1000,4600}the reason$/) as string,
      });
      expect(times()).toBe(attempt);
    }
  });

  it("is ended when it takes too long, or its caller gives up", async () => {
    const { wanted } = await prepared();
    const caller = new AbortController();
    process.once("SIGUSR2", () => {
      caller.abort();
    });
    const late = setUp({ ...wanted, command: "tail -f /dev/null", timeoutMs: 100 }, never);
    await expect(late).rejects.toMatchObject({
      code: "workspace_failed",
      message: expect.stringContaining("0.1 s") as string,
    });
    const given = setUp(
      { ...wanted, command: `kill -s USR2 ${String(process.pid)}; tail -f /dev/null` },
      caller.signal,
    );
    await expect(given).rejects.toMatchObject({ code: "aborted" });
  });
});
