import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { poolHome, projectOf, storePath } from "../src/project.ts";

function folder(): string {
  const made = realpathSync(mkdtempSync(join(tmpdir(), "claude-pool-project-")));
  onTestFinished(() => {
    rmSync(made, { recursive: true, force: true });
  });
  return made;
}

function git(cwd: string, ...args: readonly string[]): void {
  const identity = ["-c", "user.name=T", "-c", "user.email=t@example.org"];
  execFileSync("git", [...identity, ...args], { cwd, stdio: "ignore" });
}

describe("a directory's project", () => {
  test("is the same for a repository, its sub-directories and all of its worktrees", () => {
    const root = folder();
    const repository = join(root, "my repo");
    mkdirSync(join(repository, "src"), { recursive: true });
    git(repository, "init");
    git(repository, "commit", "--allow-empty", "-m", "first");
    git(repository, "worktree", "add", join(root, "other"));
    const ids = [repository, join(repository, "src"), join(root, "other")].map((place) => projectOf(place).id);
    expect([new Set(ids).size, ids[0]]).toEqual([1, expect.stringMatching(/^my_repo-[0-9a-f]{12}$/)]);
  });

  test("is what git says, also of submodules, bare and damaged repositories, and inside .git", () => {
    const root = folder();
    for (const name of ["super", "part", "damaged/inner"]) mkdirSync(join(root, name), { recursive: true });
    git(root, "init", "--bare", "bare.git");
    for (const name of ["super", "part"]) {
      git(join(root, name), "init");
      git(join(root, name), "commit", "--allow-empty", "-m", "first");
    }
    git(join(root, "super"), "-c", "protocol.file.allow=always", "submodule", "add", join(root, "part"), "sub");
    git(join(root, "damaged"), "init");
    mkdirSync(join(root, "damaged/inner/.git"));
    git(root, "init", "--separate-git-dir", join(root, "elsewhere"), join(root, "apart"));
    const places = ["super", "super/sub", "bare.git", "bare.git/refs", "damaged/inner", "super/.git", "apart", "."];
    const answers = places.map((place) => {
      const cwd = join(root, place);
      const asked = spawnSync("git", ["rev-parse", "--git-common-dir"], { cwd, encoding: "utf8" });
      return asked.status === 0 ? realpathSync(resolve(cwd, asked.stdout.trim())) : cwd;
    });
    expect(places.map((place) => projectOf(join(root, place)).root)).toEqual(answers);
  });

  test("outside git is the real directory, however it is reached", () => {
    const root = folder();
    mkdirSync(join(root, "real"));
    symlinkSync(join(root, "real"), join(root, "link"));
    expect(projectOf(join(root, "link"))).toEqual({
      id: expect.stringMatching(/^real-[0-9a-f]{12}$/) as string,
      root: join(root, "real"),
    });
  });

  test("differs for two repositories of one name", () => {
    const root = folder();
    const places = ["a/app", "b/app"].map((path) => join(root, path));
    for (const place of places) {
      mkdirSync(place, { recursive: true });
      git(place, "init");
    }
    expect(new Set(places.map((place) => projectOf(place).id)).size).toBe(2);
  });

  test("is not chosen by variables that a hook of another repository left", () => {
    const root = folder();
    const [mine = "", theirs = ""] = ["mine", "theirs"].map((name) => join(root, name));
    for (const place of [mine, theirs]) {
      mkdirSync(place);
      git(place, "init");
    }
    process.env.GIT_DIR = join(theirs, ".git");
    onTestFinished(() => {
      delete process.env.GIT_DIR;
    });
    expect(projectOf(mine).root).toBe(join(mine, ".git"));
  });
});

describe("the store's place", () => {
  test("is in CLAUDE_POOL_HOME, else in the home, and never in the working tree", () => {
    const root = folder();
    const { id } = projectOf(root);
    expect([
      storePath(root, { CLAUDE_POOL_HOME: "/somewhere", HOME: "/home/a" }),
      storePath(root, { HOME: "/home/a" }),
      poolHome({ CLAUDE_POOL_HOME: "", HOME: "/home/a" }),
    ]).toEqual([`/somewhere/${id}/pool.db`, `/home/a/.claude-pool/${id}/pool.db`, "/home/a/.claude-pool"]);
  });
});
