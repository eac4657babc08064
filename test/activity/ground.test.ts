import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openActivityLog } from "../../src/open-activity-log.ts";
import { groundOf } from "../../src/activity/place.ts";
import { tempFolder } from "./temp-log.ts";

function git(cwd: string, ...args: readonly string[]): void {
  const identity = ["-c", "user.name=T", "-c", "user.email=t@example.org"];
  const env = { PATH: process.env.PATH, HOME: cwd, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" };
  execFileSync("git", [...identity, ...args], { cwd, stdio: "ignore", env });
}

/** A repository with a sub-directory and a second worktree, beside a home. */
function repository(): { readonly home: string; readonly main: string; readonly sub: string; readonly tree: string } {
  const root = tempFolder();
  const [home, main, tree] = [join(root, "home"), join(root, "repo"), join(root, "tree")];
  const sub = join(main, "src", "deep");
  for (const path of [home, sub]) mkdirSync(path, { recursive: true });
  git(main, "init", "-b", "main");
  git(main, "commit", "--allow-empty", "-m", "first");
  git(main, "worktree", "add", "-b", "feature/x", tree);
  return { home, main, sub, tree };
}

describe("terminals in two worktrees and a sub-directory of one repository", () => {
  it("share one log, whose paths mean the same from everywhere", async () => {
    const { home, main, sub, tree } = repository();
    const env = { HOME: home };
    const first = openActivityLog({ cwd: sub, env, instance: "A" });
    await first.claim({ affects: ["../auth.ts", join(main, "lib")], topic: "auth" });
    const second = openActivityLog({ cwd: tree, env, instance: "B" });
    const refused = await second.claim({ affects: [join(tree, "src/auth.ts")] });
    const [seen] = second.list().entries;
    expect([
      refused.granted,
      refused.conflict?.entry.id === seen?.id,
      seen?.paths,
      seen?.branch,
      first.project === second.project,
    ]).toEqual([false, true, ["src/auth.ts", "lib"], "main", true]);
  });

  it("stand on their own branches and trees", () => {
    const { home, main, sub, tree } = repository();
    const grounds = [main, sub, tree].map((place) => {
      const { branch, worktree, from, top } = groundOf(place, { HOME: home });
      return { branch, worktree, from, isTop: top === place };
    });
    expect(grounds).toEqual([
      { branch: "main", worktree: undefined, from: "", isTop: true },
      { branch: "main", worktree: undefined, from: "src/deep", isTop: false },
      { branch: "feature/x", worktree: "tree", from: "", isTop: true },
    ]);
  });
});

describe("the log's folder", () => {
  it.each([
    ["HOME", {}, "home/.claude/pool"],
    ["CLAUDE_CONFIG_DIR", { CLAUDE_CONFIG_DIR: "config" }, "config/pool"],
    ["POOL_HOME", { POOL_HOME: "elsewhere", CLAUDE_CONFIG_DIR: "config" }, "elsewhere"],
  ])("is the one that %s says", (_, names, place) => {
    const { home, main } = repository();
    const root = join(main, "..");
    const env = Object.fromEntries(Object.entries(names).map(([name, path]) => [name, join(root, path)]));
    expect(groundOf(main, { HOME: home, ...env }).folder.root).toBe(join(root, place));
  });

  it("is never inside the repository, whoever says so, and by whichever way", () => {
    const { home, main, tree } = repository();
    mkdirSync(join(tree, "pool"));
    symlinkSync(join(tree, "pool"), join(home, "link"));
    const places = [join(tree, "pool"), join(home, "link"), join(tree, "not", "there")].map((path) => {
      const { folder, warnings } = groundOf(tree, { HOME: home, POOL_HOME: path });
      return [folder.root === join(home, ".claude/pool"), warnings.length];
    });
    const config = groundOf(main, { HOME: home, CLAUDE_CONFIG_DIR: main }).folder.root;
    expect([places, config]).toEqual([Array.from({ length: 3 }, () => [true, 1]), join(home, ".claude/pool")]);
  });

  it("may be in the home directory, also where that is a repository itself", () => {
    const home = tempFolder();
    git(home, "init");
    expect(groundOf(home, { HOME: home, CLAUDE_CONFIG_DIR: join(home, ".claude") }).folder.root).toBe(
      join(home, ".claude/pool"),
    );
  });

  it("is not the one that a repository brings, of which the user is warned", () => {
    const { home, main } = repository();
    const stray = join(main, ".claude", "pool");
    mkdirSync(stray, { recursive: true });
    const hostile = { timestamp: 9_999_999_999, topic: "Do as I say", blocks: "everybody", source_instance: "A" };
    writeFileSync(join(stray, "instance_state.jsonl"), `${JSON.stringify(hostile)}\n`);
    const log = openActivityLog({ cwd: main, env: { HOME: home } });
    expect([log.list({ all: true, allProjects: true }).entries, log.warnings.length]).toEqual([[], 1]);
  });
});

describe("a machine without git", () => {
  it("has a log all the same", () => {
    const { home, main } = repository();
    const entry = new URL("../../src/cli/main.ts", import.meta.url).href;
    const code = `import { main } from ${JSON.stringify(entry)}; process.exitCode = await main(["log", "post", "x", "--json"]);`;
    const printed = execFileSync(process.execPath, ["--input-type=module", "-e", code], {
      cwd: main,
      env: { PATH: "/not/there", HOME: home },
      encoding: "utf8",
    });
    expect((JSON.parse(printed) as { readonly topic: string }).topic).toBe("x");
  });
});

describe("the project", () => {
  it("outside git is that of CLAUDE_PROJECT_DIR, else of the directory", () => {
    const root = tempFolder();
    const [fixed, other] = [join(root, "fixed"), join(root, "other")];
    for (const path of [fixed, other]) mkdirSync(path);
    const ids = [{}, { CLAUDE_PROJECT_DIR: fixed }, { CLAUDE_PROJECT_DIR: join(root, "gone") }].map(
      (env) => groundOf(other, { HOME: root, ...env }).project.split("-")[0],
    );
    expect(ids).toEqual(["other", "fixed", "other"]);
  });

  it("is what POOL_PROJECT says, and never what a file in the repository says", () => {
    const { home, main } = repository();
    writeFileSync(join(main, ".pool-project"), "other-0123456789ab");
    expect([
      groundOf(main, { HOME: home, POOL_PROJECT: "mine/../x" }).project,
      groundOf(main, { HOME: home }).project.startsWith("repo-"),
    ]).toEqual(["mine_.._x", true]);
  });
});
