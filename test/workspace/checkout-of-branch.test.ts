import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { openWorkspaces } from "../../src/workspace/open-workspaces.ts";
import { systemProcesses } from "../../src/runner/processes.ts";
import { land } from "../../src/workspace/land.ts";
import { lock, never, repository, type Rig, type Worker } from "./landing-rig.ts";

const workspaces = openWorkspaces({ processes: systemProcesses() });

describe("the user's checkout of a branch that work lands on", () => {
  it("keeps every change of the user's that the work does not meet", async () => {
    const rig = repository({ "a.txt": "a\n", "staged.txt": "s\n", "edited.txt": "e\n", "gone.txt": "g\n" });
    const worker = await rig.worker("t1");
    worker.write({ "a.txt": "A\n", "new/b.txt": "b\n" });
    rig.write({ "staged.txt": "S\n", "edited.txt": "E\n", "untracked.txt": "u\n" });
    rig.git("add", "staged.txt");
    rmSync(join(rig.path, "gone.txt"));
    const end = await worker.land();
    expect([end.state, rig.status(), rig.read("a.txt"), rig.read("new/b.txt"), rig.read("edited.txt")]).toEqual([
      "merged",
      [" M edited.txt", " D gone.txt", "M  staged.txt", "?? untracked.txt"],
      "A\n",
      "b\n",
      "E\n",
    ]);
  });

  const inTheWay: readonly (readonly [string, (rig: Rig) => void, readonly string[]])[] = [
    ["an edited file", (rig) => rig.write({ "a.txt": "mine\n" }), ["a.txt"]],
    [
      "a staged file",
      (rig) => {
        rig.write({ "a.txt": "mine\n" });
        rig.git("add", "a.txt");
      },
      ["a.txt"],
    ],
    ["a deleted file", (rig) => rmSync(join(rig.path, "a.txt")), ["a.txt"]],
    [
      "an untracked file where one is to come",
      (rig) => rig.write({ "new/b \n\u00fc.txt": "mine\n" }),
      ["new/b \n\u00fc.txt"],
    ],
    [
      "an ignored file where one is to come",
      (rig) => {
        rig.write({ "new/b \n\u00fc.txt": "mine\n" });
        writeFileSync(join(rig.repository, "info", "exclude"), "new/\n.claude/\n");
      },
      ["new/b \n\u00fc.txt"],
    ],
    ["a link where a file is to come", (rig) => symlinkSync("nowhere", join(rig.path, "top.txt")), ["top.txt"]],
    ["untracked files where a file is to come", (rig) => rig.write({ "top.txt/mine": "m\n" }), ["top.txt"]],
  ];
  it.each(inTheWay)(
    "refuses before the branch moves when the work meets %s, and names it",
    async (_, change, files) => {
      const rig = repository();
      const worker = await rig.worker("t1");
      worker.write({ "a.txt": "A\n", "new/b \n\u00fc.txt": "b\n", "top.txt": "t\n" });
      const request = await worker.request();
      change(rig);
      const [head, status] = [rig.git("rev-parse", "main"), rig.status()];
      const end = await land(request, lock, never);
      expect([end, rig.git("rev-parse", "main"), rig.status()]).toEqual([
        {
          state: "failed",
          code: "checkout_dirty",
          error: expect.stringContaining(`there: ${JSON.stringify(files[0])}.`) as string,
        },
        head,
        status,
      ]);
    },
  );

  it("takes a file that was only touched for clean, and a directory of tracked files for free", async () => {
    const rig = repository({ "a.txt": "a\n", "folder/b.txt": "b\n" });
    const worker = await rig.worker("t1");
    rmSync(join(worker.path, "folder"), { recursive: true });
    worker.write({ "a.txt": "A\n", folder: "now a file\n" });
    rig.write({ "a.txt": "a\n" });
    const end = await worker.land();
    expect([end.state, rig.read("folder"), rig.status()]).toEqual(["merged", "now a file\n", []]);
  });

  it("refuses in the middle of the user's merge with conflicts, and of a rebase of the branch", async () => {
    const rig = repository();
    const worker = await rig.worker("t1");
    worker.write({ "b.txt": "b\n" });
    rig.git("checkout", "-q", "-b", "side");
    rig.commit("Side", { "a.txt": "side\n" });
    rig.git("checkout", "-q", "main");
    rig.commit("Main", { "a.txt": "main\n" });
    expect(() => rig.git("merge", "-q", "side")).toThrow();
    const merging = await worker.land();
    rig.git("merge", "--abort");
    expect(() => rig.git("rebase", "-q", "side")).toThrow();
    const rebasing = await worker.land();
    rig.git("rebase", "--abort");
    expect([merging, rebasing, (await worker.land()).state]).toEqual([
      { state: "failed", code: "checkout_dirty", error: expect.stringContaining('"a.txt"') as string },
      { state: "failed", code: "merge_failed", error: expect.stringContaining("rebase") as string },
      "merged",
    ]);
  });

  it("waits for an index.lock that another git lets go of", async () => {
    const rig = repository();
    const worker = await rig.worker("t1");
    worker.write({ "b.txt": "b\n" });
    const request = await worker.request();
    const file = join(rig.repository, "index.lock");
    writeFileSync(file, "");
    // Let go of once git has stumbled over it.
    const bin = gitInFront(
      rig,
      "update-index --refresh",
      (real) => `'${real}' "$@"; code=$?; rm -f '${file}'; exit $code`,
    );
    vi.stubEnv("PATH", `${bin}:${process.env.PATH ?? ""}`);
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    expect([(await land(request, lock, never)).state, rig.status(), existsSync(file)]).toEqual(["merged", [], false]);
  });

  it("stays as it was, with its branch, when git cannot write into it: on a full disk, say", async () => {
    const rig = repository();
    const worker = await rig.worker("t1");
    worker.write({ "b.txt": "half and half\n" });
    const request = await worker.request();
    const full = "printf half > b.txt; echo 'fatal: write error: No space left on device' >&2; exit 128";
    const bin = gitInFront(rig, "read-tree -m", () => full);
    vi.stubEnv("PATH", `${bin}:${process.env.PATH ?? ""}`);
    const failed = await land(request, lock, never);
    vi.unstubAllEnvs();
    const between = [rig.git("rev-parse", "main"), rig.status()];
    expect([failed, between, (await land(request, lock, never)).state, rig.status()]).toEqual([
      { state: "failed", code: "workspace_failed", error: expect.stringContaining("disk is full") as string },
      [request.workspace.baseCommit, []],
      "merged",
      [],
    ]);
  });

  it("goes back with its branch when a merge is undone, but not over the user's changes, nor from elsewhere", async () => {
    const rig = repository();
    const worker = await rig.worker("t1");
    worker.write({ "a.txt": "A\n", "b.txt": "b\n" });
    const end = await worker.land();
    if (end.state !== "merged") throw new Error("it did not land");
    const undo = (): Promise<void> => workspaces.moveBranch(rig.repository, "main", end.commit, end.before);
    rig.write({ "b.txt": "mine\n", "mine.txt": "m\n" });
    await expect(undo()).rejects.toMatchObject({ code: "checkout_dirty", details: { files: ["b.txt"] } });
    rig.write({ "b.txt": "b\n" });
    await undo();
    expect([rig.git("rev-parse", "main") === end.before, rig.status(), rig.read("a.txt")]).toEqual([
      true,
      ["?? mine.txt"],
      "a\n",
    ]);
    await expect(undo()).rejects.toMatchObject({ code: "merge_moved" });
  });

  it("runs no hook of the user's, signs nothing and asks nothing", async () => {
    const rig = repository();
    const seen = join(rig.path, "..", "hooks-that-ran");
    for (const hook of [
      "post-checkout",
      "post-commit",
      "pre-commit",
      "post-merge",
      "reference-transaction",
      "post-index-change",
    ]) {
      mkdirSync(join(rig.repository, "hooks"), { recursive: true });
      writeFileSync(join(rig.repository, "hooks", hook), `#!/bin/sh\necho ${hook} >> '${seen}'\nexit 1\n`, {
        mode: 0o755,
      });
    }
    const worker = await makeWorkerWithoutHooks(rig);
    rmSync(seen, { force: true });
    rig.git("config", "commit.gpgSign", "true");
    rig.git("config", "core.editor", "false");
    const end = await worker.land({ checks: [{ command: "true" }], method: "merge" });
    expect([end.state, existsSync(seen)]).toEqual(["merged", false]);
  });
});

async function makeWorkerWithoutHooks(rig: Rig): Promise<Worker> {
  rig.git("config", "core.hooksPath", "/dev/null");
  const worker = await rig.worker("t1");
  rig.git("config", "--unset", "core.hooksPath");
  worker.write({ "b.txt": "b\n" });
  return worker;
}

describe("a landing whose process is killed", () => {
  /** A git that stops before or after one of its commands, in front of the real one. */
  const steps = [
    ["before the branch is held", "update-ref", "before"],
    ["before the checkout is touched", "read-tree -m", "before"],
    ["after the checkout was changed, before the branch moves", "read-tree -m", "after"],
  ] as const;
  it.each(steps)(
    "%s: leaves a repository in which the next one lands it, and every file is whole",
    async (_, step, when) => {
      const rig = repository({ "a.txt": "a\n", "gone.txt": "g\n", "mine.txt": "m\n" });
      const worker = await rig.worker("t1");
      rmSync(join(worker.path, "gone.txt"));
      worker.write({ "a.txt": "A\n", "new/b.txt": "b\n" });
      rig.write({ "mine.txt": "M\n" });
      const request = await worker.request();
      await killedAt(rig, request, step, when);
      const between = [rig.git("rev-parse", "main"), rig.status().length > 1];
      const end = await land(request, lock, never);
      expect([between, end.state, rig.status(), rig.files(), rig.read("new/b.txt")]).toEqual([
        [request.workspace.baseCommit, when === "after"],
        "merged",
        [" M mine.txt"],
        { "a.txt": "A", "mine.txt": "m", "new/b.txt": "b" },
        "b\n",
      ]);
    },
  );

  it("after the branch has moved: the next one answers what the first would have", async () => {
    const rig = repository();
    const worker = await rig.worker("t1");
    worker.write({ "b.txt": "b\n" });
    const request = await worker.request();
    const first = await land(request, lock, never);
    // As if the note that it is done had not been written any more.
    const folder = join(rig.repository, "claude-pool-landings");
    const [file = ""] = readdirSync(folder);
    const note = readFileSync(join(folder, file), "utf8");
    writeFileSync(join(folder, file), note.replace('"moved"', '"moving"'));
    expect([await land(request, lock, never), rig.status()]).toEqual([first, []]);
  });

  it.runIf(process.platform === "linux")(
    "together with its git, by a power cut: the next one removes the locks that they held",
    async () => {
      const rig = repository();
      const worker = await rig.worker("t1");
      worker.write({ "b.txt": "b\n" });
      const request = await worker.request();
      await killedAt(rig, request, "read-tree -m", "after");
      const locks = ["index.lock", "HEAD.lock", "refs/heads/main.lock"].map((file) => join(rig.repository, file));
      for (const file of locks) {
        writeFileSync(file, "");
        utimesSync(file, 1_700_000_000, 1_700_000_000);
      }
      const end = await land(request, lock, never);
      expect([end.state, locks.filter((file) => existsSync(file)), rig.status()]).toEqual(["merged", [], []]);
    },
  );

  it("together with a git that was writing: files that are gone or half written are whole again", async () => {
    const rig = repository({ "a.txt": "a long text\n", "gone.txt": "g\n", "kept.txt": "k\n" });
    const worker = await rig.worker("t1");
    worker.write({ "a.txt": "another long text\n", "kept.txt": "K\n", "new/b.txt": "brand new\n" });
    const request = await worker.request();
    await killedAt(rig, request, "read-tree -m", "before");
    rig.write({ "a.txt": "another lo", "new/b.txt": "" });
    rmSync(join(rig.path, "kept.txt"));
    const end = await land(request, lock, never);
    expect([end.state, rig.status(), rig.read("a.txt"), rig.read("new/b.txt"), rig.read("kept.txt")]).toEqual([
      "merged",
      [],
      "another long text\n",
      "brand new\n",
      "K\n",
    ]);
  });

  it("while it still looked: the user's own changes are his, even one that looks like half a file", async () => {
    const rig = repository({ "a.txt": "a long text\n", "b.txt": "b\n" });
    const worker = await rig.worker("t1");
    worker.write({ "a.txt": "another text\n", "b.txt": "B\n" });
    rig.write({ "a.txt": "a lo" });
    rmSync(join(rig.path, "b.txt"));
    const request = await worker.request();
    await killedAt(rig, request, "update-index --refresh", "before");
    const end = await land(request, lock, never);
    expect([end, rig.read("a.txt"), rig.status()]).toEqual([
      expect.objectContaining({ state: "failed", code: "checkout_dirty" }),
      "a lo",
      [" M a.txt", " D b.txt"],
    ]);
  });

  it("leaves alone what the user has changed since, and says what to do", async () => {
    const rig = repository();
    const worker = await rig.worker("t1");
    worker.write({ "a.txt": "A\n", "b.txt": "b\n" });
    const request = await worker.request();
    await killedAt(rig, request, "read-tree -m", "after");
    rig.write({ "a.txt": "mine\n" });
    const blocked = await land(request, lock, never);
    const kept = [rig.read("a.txt"), rig.read("b.txt")];
    rig.git("restore", "--source=HEAD", "--staged", "--worktree", "--", "a.txt");
    expect([blocked, kept, (await land(request, lock, never)).state, rig.status()]).toEqual([
      { state: "failed", code: "checkout_dirty", error: expect.stringContaining('-- "a.txt"`') as string },
      ["mine\n", "b\n"],
      "merged",
      [],
    ]);
  });
});

/** Lands in a process of its own, whose git kills it before or after one of its steps. */
async function killedAt(rig: Rig, request: object, step: string, when: "before" | "after"): Promise<void> {
  const bin = gitInFront(rig, step, (real) =>
    when === "before" ? "kill -s KILL $PPID; exit 1" : `'${real}' "$@"; kill -s KILL $PPID; exit`,
  );
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, "../fixtures/workspace/landing-process.ts"), JSON.stringify(request)],
    {
      env: { ...process.env, PATH: `${bin}:${process.env.PATH ?? ""}` },
      stdio: ["ignore", "inherit", "inherit"],
    },
  );
  expect(await once(child, "exit")).toEqual([null, "SIGKILL"]);
}

/** A folder with a git that does something else at one step; the trial of a read-tree (-n) is no step. */
function gitInFront(rig: Rig, step: string, act: (real: string) => string): string {
  const bin = join(rig.path, "..", "bin");
  mkdirSync(bin);
  const real = join(rig.git("--exec-path"), "git");
  const script = `#!/bin/sh\ncase " $* " in *" -n "*) ;; *" ${step} "*) ${act(real)} ;; esac\nexec '${real}' "$@"\n`;
  writeFileSync(join(bin, "git"), script, { mode: 0o755 });
  return bin;
}
