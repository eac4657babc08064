/** What the program makes of arguments, settings and files, before any Claude is asked. */
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { rig, type Rig } from "./rig.ts";

let place: Rig;

beforeEach(() => {
  place = rig();
});

afterEach(() => {
  place[Symbol.dispose]();
});

describe("bad input", () => {
  it.each([
    [["stauts"], 2, "error: unknown command 'stauts'\n(Did you mean status?)\n"],
    [
      ["log", "lits"],
      2,
      "error: unknown command 'lits'\n(Did you mean list?)\n" +
        "`claude-pool log` has list, post, claim, release, show, who, follow, doctor, purge.\n",
    ],
    [["governor", "xyzzy"], 2, "error: unknown command 'xyzzy'\n`claude-pool governor` has show, release.\n"],
    [["message", "sned"], 2, expect.stringContaining("(Did you mean send?)\n`claude-pool message` has send, ")],
    [["log", "list", "foo"], 2, "error: too many arguments for 'list'. Expected 0 arguments but got 1.\n"],
    [["list", "--jsno"], 2, "error: unknown option '--jsno'\n(Did you mean --json?)\n"],
    [["result"], 2, "error: missing required argument 'id'\n"],
    [["run", ""], 2, 'error: prompt: expected text that is neither empty nor blank, got text "".\n'],
    [
      ["run", "--max-turns", "abc", "x"],
      2,
      'error: --max-turns: expected a whole number of at least 1, got text "abc".\n',
    ],
    [["run", "--priority", "1.5", "x"], 2, "error: --priority: expected a whole number, got number 1.5.\n"],
    [
      ["run", "--timeout", "5", "x"],
      2,
      'error: --timeout: expected a duration such as 90s, 10m, 2h or 30d, got "5".\n',
    ],
    [["wait", "--timeout", "30d", "x"], 2, 'error: --timeout: expected at most 24d, got "30d".\n'],
    [["run", "--json-schema", "{", "x"], 2, expect.stringContaining("error: --json-schema: not JSON")],
    [["run", "--permission-mode", "bypassPermissions", "x"], 2, expect.stringContaining("--allow-bypass-permissions")],
    [["fan-out", "--file", "none.txt"], 2, expect.stringContaining('error: --file: cannot read "none.txt"')],
    [["serve", "--slots", "-1"], 2, "error: --slots: expected a number of slots of at least 0, got number -1.\n"],
    [["serve", "--slots", "0"], 2, "error: --slots: expected at least one slot, got none: nobody would do the work.\n"],
    [["budget", "set", "much"], 2, 'error: usd: expected dollars, a number of at least 0, or none, got "much".\n'],
    [["list", "--state", "pendign"], 2, expect.stringContaining('Did you mean "pending"?')],
    [["result", "task-none"], 4, expect.stringContaining('error: No task "task-none" in this pool.')],
    [
      ["result", "task-4"],
      4,
      'error: No task "task-4" in this pool: of an id, give at least 3 characters after "task-".\n',
    ],
    [["run"], 2, "error: prompt: stdin holds none. Give it as an argument, or on stdin.\n"],
    [["fan-out"], 2, "error: prompts: stdin holds none. Give them as arguments, with --file, or on stdin.\n"],
    [["slots", "scale", "up", "1"], 4, expect.stringContaining("claude-pool serve")],
    [["context", "get", "none"], 4, expect.stringContaining('No fact "none" in this pool.')],
    [["completion", "bsh"], 2, expect.stringContaining('Did you mean "bash"?')],
    [["import", "none.jsonl"], 2, expect.stringContaining('error: Cannot read "none.jsonl"')],
    [["list", "--cwd", "none"], 2, expect.stringContaining("Create it, or name another with --cwd.")],
  ] as [string[], number, string][])("%j ends with %i and says what to do", async (argv, exitCode, stderr) => {
    expect(await place.run(argv)).toEqual({ exitCode, stdout: "", stderr });
  });

  it("is told as one line of JSON with --json", async () => {
    const { stderr } = await place.run(["result", "--json", "task-none"]);
    expect(JSON.parse(stderr)).toEqual({
      error: expect.objectContaining({ code: "task_not_found", details: { task_id: "task-none" } }) as unknown,
    });
  });

  it("refuses a store that is no database, and leaves it as it is", async () => {
    const file = join(place.project, "notes.txt");
    writeFileSync(file, "These are my notes, and no database. ".repeat(200));
    const ran = await place.run(["list", "--store", "notes.txt"]);
    expect({ exit: ran.exitCode, kept: readFileSync(file, "utf8").startsWith("These are my notes") }).toEqual({
      exit: 1,
      kept: true,
    });
  });
});

describe("what there is nothing of", () => {
  it.each([
    [["list"], "No tasks.\n"],
    [["context", "list"], "No facts.\n"],
    [["message", "peek"], "No messages for coordinator.\n"],
    [["webhook", "list"], "No webhooks.\n"],
    [["webhook", "list", "--json"], ""],
  ])("%j says so on stderr, and nothing to programs", async (argv, stderr) => {
    expect(await place.run(argv)).toEqual({ exitCode: 0, stdout: "", stderr });
  });
});

describe("the queue", () => {
  it("takes a task without a host, and says how to start one", async () => {
    const ran = await place.run(["submit", "--json", "--tag", "a", "Do", "it"]);
    const { task_id: id } = JSON.parse(ran.stdout) as { task_id: string };
    const listed = JSON.parse((await place.run(["list", "--json"])).stdout) as Record<string, unknown>;
    expect({ exit: ran.exitCode, hint: ran.stderr, listed }).toEqual({
      exit: 0,
      hint: `No process is hosting slots for this pool, so ${id} waits. Start one: claude-pool serve --cwd "${place.project}"\n`,
      listed: expect.objectContaining({ id, prompt: "Do it", state: "pending", tags: ["a"] }) as unknown,
    });
  });

  it("keeps a prompt of five million characters whole", async () => {
    const prompt = "word ".repeat(1_000_000);
    const id = (await place.run(["submit", "-"], { stdin: prompt })).stdout.trim();
    const record = JSON.parse((await place.run(["result", "--json", id])).stdout) as { prompt: string };
    expect(record.prompt === prompt).toEqual(true);
  });

  it("accepts the beginning of an id, and cancels a pending task", async () => {
    const id = (await place.run(["submit", "x"])).stdout.trim();
    const cancelled = await place.run(["cancel", "--json", id.slice(0, 8)]);
    const result = await place.run(["result", id]);
    expect([cancelled.exitCode, (JSON.parse(cancelled.stdout) as { state: string }).state, result.exitCode]).toEqual([
      0,
      "cancelled",
      1,
    ]);
  });

  it("ends a wait whose time is over with 1, and the task goes on", async () => {
    const id = (await place.run(["submit", "x"])).stdout.trim();
    const waited = await place.run(["wait", "--timeout", "20ms", id]);
    const result = await place.run(["result", id]);
    expect([waited.exitCode, waited.stderr.includes("they go on"), result.exitCode]).toEqual([1, true, 4]);
  });

  it("gives the same id for the same key and task, and refuses another task under it", async () => {
    const first = await place.run(["submit", "--key", "k", "x"]);
    const same = await place.run(["submit", "--key", "k", "x"]);
    const other = await place.run(["submit", "--key", "k", "y"]);
    expect([same.stdout === first.stdout, other.exitCode]).toEqual([true, 4]);
  });

  it("leaves by export and comes back by import", async () => {
    await place.run(["submit", "--priority", "3", "x"]);
    await place.run(["export", "-o", "pool.jsonl"]);
    const imported = await place.run(["import", "--store", "other.db", "--json", "pool.jsonl"]);
    const listed = await place.run(["list", "--store", "other.db", "--json"]);
    expect([JSON.parse(imported.stdout), (JSON.parse(listed.stdout) as { priority: number }).priority]).toEqual([
      { tasks: 1, runs: 0 },
      3,
    ]);
  });

  it("shows its log, and its counts and money in wire names", async () => {
    await place.run(["submit", "x"]);
    await place.run(["budget", "set", "20", "--renews", "day"]);
    const events = (await place.run(["events", "--json"])).stdout.trim().split("\n");
    const status = JSON.parse((await place.run(["status", "--json"])).stdout) as Record<string, unknown>;
    expect([
      events.map((line) => (JSON.parse(line) as { type: string }).type),
      status.pending_tasks,
      status.budget_microdollars,
    ]).toEqual([["task.submitted", "budget.changed"], 1, 20_000_000]);
  });

  it("keeps shared facts", async () => {
    await place.run(["context", "set", "style", "-"], { stdin: "tabs" });
    const got = await place.run(["context", "get", "style"]);
    const listed = await place.run(["context", "--json"]);
    const deleted = await place.run(["context", "delete", "style"]);
    expect([got.stdout, JSON.parse(listed.stdout), deleted.exitCode]).toEqual([
      "tabs\n",
      { key: "style", value: "tabs" },
      0,
    ]);
  });

  it("refuses work once it is drained", async () => {
    const id = (await place.run(["submit", "x"])).stdout.trim();
    const drained = await place.run(["drain", "--json"]);
    const refused = await place.run(["submit", "y"]);
    expect([JSON.parse(drained.stdout), refused.exitCode]).toEqual([
      expect.objectContaining({ cancelled_pending: [id], cancelled_running: [] }),
      4,
    ]);
  });
});

describe("settings", () => {
  const valueOf = async (argv: readonly string[], env: Record<string, string> = {}): Promise<unknown> => {
    const { stdout } = await place.run(["config", "--json", ...argv], { env });
    const { settings } = JSON.parse(stdout) as { settings: Record<string, { value: unknown; source: string }> };
    return [settings.model?.value, settings.model?.source, settings.claude?.value, settings.claude?.source];
  };

  it("come from flags, then the environment, then the project, then the user", async () => {
    place.userFile({ model: "haiku", claude: "/user/claude" });
    const user = await valueOf([]);
    place.projectFile({ model: "sonnet" });
    const project = await valueOf([], { CLAUDE_POOL_CLAUDE: "/env/claude" });
    const flag = await valueOf(["--model", "opus"]);
    const [userPath, projectPath] = [join(place.poolHome, "claude-pool.json"), join(place.project, "claude-pool.json")];
    expect([user, project, flag]).toEqual([
      ["haiku", userPath, "/user/claude", userPath],
      ["sonnet", projectPath, "/env/claude", "environment"],
      ["opus", "flag", "/user/claude", userPath],
    ]);
  });

  it.each([
    [{ claude: "./evil" }, "claude"],
    [{ store: "x.db" }, "store"],
    [{ env: { ANTHROPIC_BASE_URL: "http://evil.invalid" } }, "env"],
    [{ permission_mode: "bypassPermissions" }, "permission_mode"],
    [{ allow_bypass_permissions: true }, "allow_bypass_permissions"],
    [{ unattended_mode: true }, "unattended_mode"],
    [{ strict_mcp_config: false }, "strict_mcp_config"],
    [{ mcp_servers: { x: { command: "evil" } } }, "mcp_servers"],
    [{ slots: [{}, { allowed_tools: ["Bash"] }] }, "slots[1].allowed_tools"],
    [{ checks: ["evil"] }, "checks"],
    [{ slots: [{ checks: [{ command: "evil" }] }] }, "slots[0].checks"],
    [{ worktree_setup: "evil" }, "worktree_setup"],
    [{ worktree_base_dir: "../.." }, "worktree_base_dir"],
  ])("of a project are refused until it is trusted: %j", async (settings, name) => {
    place.projectFile(settings);
    const ran = await place.run(["submit", "x"]);
    expect([ran.exitCode, ran.stderr.includes(` sets ${name}, which only a trusted project may set`)]).toEqual([
      2,
      true,
    ]);
  });

  it("of a trusted project count until they change", async () => {
    place.projectFile({ unattended_mode: true });
    await place.run(["trust"]);
    const trusted = await place.run(["list"]);
    place.projectFile({ unattended_mode: true, model: "opus" });
    const harmless = await place.run(["list"]);
    place.projectFile({ unattended_mode: true, claude: "./evil" });
    const changed = await place.run(["list"]);
    expect([trusted.exitCode, harmless.exitCode, changed.exitCode]).toEqual([0, 0, 2]);
  });

  it("add up where they are lists of tools, so that a project cannot drop what the user refuses", async () => {
    place.userFile({ disallowed_tools: ["WebFetch"], env: { A: "1", B: "1" } });
    place.projectFile({ disallowed_tools: ["WebSearch"] });
    const { stdout } = await place.run(["config", "--json", "--env", "B=2", "--disallowed-tools", "Bash"]);
    const { settings } = JSON.parse(stdout) as { settings: Record<string, { value: unknown }> };
    expect([settings.disallowed_tools?.value, Object.keys(settings.env?.value as object)]).toEqual([
      ["WebFetch", "WebSearch", "Bash"],
      ["A", "B"],
    ]);
  });

  it("with an unknown key name the file and the nearest key", async () => {
    place.projectFile({ modle: "opus" });
    const ran = await place.run(["list"]);
    const file = join(place.project, "claude-pool.json");
    expect(ran).toEqual({
      exitCode: 2,
      stdout: "",
      stderr: `error: ${file}: unknown field "modle". Did you mean "model"?\n`,
    });
  });

  it("never show the values of the environment they add", async () => {
    place.userFile({ env: { ANTHROPIC_API_KEY: "sk-secret" } });
    const ran = await place.run(["config", "--json"]);
    expect([ran.stdout.includes("ANTHROPIC_API_KEY"), ran.stdout.includes("sk-secret")]).toEqual([true, false]);
  });
});

describe("help", () => {
  const commands = (
    "run fan-out submit wait result cancel list serve status slots budget context events drain export import prune demo " +
    "doctor config trust completion diff task merge worktree"
  ).split(" ");

  it("names every command, and shows an example of each", async () => {
    const { stdout } = await place.run(["--help"]);
    const without = await Promise.all(
      commands.map(async (name) => {
        const ran = await place.run([name, "--help"]);
        return ran.exitCode === 0 && ran.stdout.includes(`$ claude-pool ${name}`) ? [] : [name];
      }),
    );
    expect([commands.filter((name) => !stdout.includes(`  ${name}`)), without.flat()]).toEqual([[], []]);
  });

  it("completes every command in every shell", async () => {
    const scripts = await Promise.all(["bash", "zsh", "fish"].map((shell) => place.run(["completion", shell])));
    const missing = scripts.flatMap(({ stdout }) => commands.filter((name) => !stdout.includes(name)));
    expect(missing).toEqual([]);
  });
});

describe("doctor", () => {
  it.runIf(process.platform === "linux")("names what a dead host has left running, and how to end it", async () => {
    // The shell ends at once, as a killed host does, and leaves its child behind.
    const pid = execFileSync("sh", ["-c", "tail -f /dev/null >/dev/null 2>&1 & echo $!"], {
      encoding: "utf8",
      env: { PATH: process.env.PATH ?? "", CLAUDE_POOL_MARKER: "left-by-a-test" },
    }).trim();
    try {
      const ran = await place.run(["doctor", "--json"]);
      const findings = ran.stdout.split("\n").filter((line) => line.includes('"processes"'));
      const finding = JSON.parse(findings[0] ?? "{}") as { state: string; found: string; remedy: string };
      expect([finding.state, finding.found.includes(pid), finding.remedy.includes(pid)]).toEqual([
        "warning",
        true,
        true,
      ]);
    } finally {
      process.kill(Number(pid), "SIGKILL");
    }
  });

  it("tells which git there is, and of locks and worktrees that are left over", async () => {
    const git = (...args: readonly string[]): void => {
      const env = { PATH: process.env.PATH, HOME: place.claudeHome, GIT_CONFIG_GLOBAL: "/dev/null" };
      execFileSync("git", args, { cwd: place.project, env });
    };
    git("init", "-q");
    git("-c", "user.name=S", "-c", "user.email=s@e.x", "commit", "-q", "--allow-empty", "-m", "Begin");
    git("worktree", "add", "-q", "--detach", join(place.claudeHome, "tree"));
    rmSync(join(place.claudeHome, "tree"), { recursive: true });
    const lock = join(place.project, ".git/index.lock");
    writeFileSync(lock, "");
    const minutesAgo = Date.now() / 1_000 - 600;
    utimesSync(lock, minutesAgo, minutesAgo);
    const ran = await place.run(["doctor", "--json"]);
    const lines = ran.stdout.trim().split("\n");
    const findings = lines.map((line) => JSON.parse(line) as { check: string; state: string; found: string });
    const found = ["git", "locks", "worktrees"].map((name) => findings.find(({ check }) => check === name));
    expect([ran.exitCode, found]).toMatchObject([
      0,
      [
        { state: "ok", found: expect.stringMatching(/^\d+\.\d+/) as unknown },
        { state: "warning", found: expect.stringContaining(`${lock} (for 10m`) as unknown },
        { state: "warning", found: expect.stringContaining("tree") as unknown },
      ],
    ]);
  });

  it("finds the ground sound in a new place, and makes nothing there", async () => {
    const ran = await place.run(["doctor", "--json"]);
    const findings = ran.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { check: string; state: string });
    const broken = findings.filter(({ state }) => state === "broken");
    expect({
      exit: ran.exitCode,
      broken,
      login: findings.find(({ check }) => check === "login")?.state,
      files: readdirSync(place.poolHome),
    }).toEqual({ exit: 0, broken: [], login: "warning", files: [] });
  });

  it("ends with 1 and names the remedy when the Claude program is not there", async () => {
    const ran = await place.run(["doctor"], { env: { CLAUDE_POOL_CLAUDE: "/none/claude" } });
    expect([ran.exitCode, /broken +claude +No executable/.test(ran.stdout)]).toEqual([1, true]);
  });
});
