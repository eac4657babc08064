import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { rig, type Ran, type Rig } from "./rig.ts";

interface Place {
  readonly at: Rig;
  readonly file: string;
  readonly log: (...argv: readonly string[]) => Promise<Ran>;
  readonly as: (label: string) => (...argv: readonly string[]) => Promise<Ran>;
}

/** A project and a home of its own, with a log in it. */
function setup(): Place {
  const at = rig();
  onTestFinished(() => at[Symbol.dispose]());
  const as =
    (label: string) =>
    (...argv: readonly string[]) =>
      at.run(["log", ...argv], label === "" ? {} : { env: { POOL_INSTANCE: label } });
  return { at, file: join(at.claudeHome, ".claude", "pool", "instance_state.jsonl"), log: as(""), as };
}

function records(ran: Ran): readonly Readonly<Record<string, unknown>>[] {
  return ran.stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
}

function topics(ran: Ran): readonly unknown[] {
  return records(ran).map(({ topic }) => topic);
}

describe("claude-pool log", () => {
  it("without entries says so, makes nothing and succeeds", async () => {
    const { log, at } = setup();
    const ran = await log();
    expect([ran, existsSync(join(at.claudeHome, ".claude"))]).toEqual([
      { exitCode: 0, stdout: "", stderr: "No entries found.\n" },
      false,
    ]);
  });

  it("opens no pool: no store is made", async () => {
    const { log, at } = setup();
    await log("post", "x");
    await log();
    expect(existsSync(join(at.poolHome, "pool.db"))).toBe(false);
    expect(readFileSync(join(at.claudeHome, ".claude/pool/instance_state.jsonl"), "utf8")).toContain('"topic":"x"');
  });

  it("lists what is live, newest first, under totals, in the original's order of parts", async () => {
    const { log, as } = setup();
    await as("A")(
      "post",
      "Login works",
      "-a",
      "fixed",
      "--summary",
      "All green.",
      "--affects",
      "src/a.ts",
      "--blocks",
      "the API work",
    );
    await as("B")("post", "CI is red", "--action", "blocked");
    const { stdout } = await log();
    expect(stdout.replace(/\d\d:\d\d:\d\d/g, "12:00:00")).toBe(
      [
        "2 entries",
        "By instance: A 1, B 1",
        "By action: blocked 1, completed 1",
        "",
        "[12:00:00] [B] BLOCKED: CI is red",
        "",
        "[12:00:00] [A] COMPLETED: Login works",
        "    All green.",
        "    Affects: src/a.ts",
        "    Unblocks: the API work",
        "",
      ].join("\n"),
    );
  });

  it("takes each of the original's flags in the original's meaning", async () => {
    const { log, as, file } = setup();
    await as("A")("post", "Auth token", "-a", "completed");
    await as("B")("post", "Staging", "--summary", "The AUTH service too", "-a", "blocked");
    await as("B")("post", "Docs", "--affects", "docs/auth.md");
    const old = {
      timestamp: Math.floor(Date.now() / 1000) - 7_200,
      ttl: 3600,
      topic: "Old",
      source_instance: "A",
      action: "completed",
    };
    appendFileSync(file, `${JSON.stringify({ ...old, id: "old-1", relevance: {} })}\n`);
    const seen = async (...flags: readonly string[]) => topics(await log("--json", ...flags));
    expect({
      plain: await seen(),
      since: await seen("--since", "1h"),
      longer: await seen("--since", "3h"),
      combined: await seen("--since", "1h59m"),
      week: await seen("--since", "1w"),
      all: await seen("--all"),
      sinceWins: await seen("--all", "--since", "10m"),
      instance: await seen("--instance", "A"),
      exact: await seen("--instance", "a"),
      action: await seen("--action", "BLOCKED"),
      synonym: await seen("--action", "done", "--all"),
      topic: await seen("--topic", "auth"),
    }).toEqual({
      plain: ["Docs", "Staging", "Auth token"],
      since: ["Docs", "Staging", "Auth token"],
      longer: ["Docs", "Staging", "Auth token", "Old"],
      combined: ["Docs", "Staging", "Auth token"],
      week: ["Docs", "Staging", "Auth token", "Old"],
      all: ["Docs", "Staging", "Auth token", "Old"],
      sinceWins: ["Docs", "Staging", "Auth token"],
      instance: ["Auth token"],
      exact: [],
      action: ["Staging"],
      synonym: ["Auth token", "Old"],
      topic: ["Docs", "Staging", "Auth token"],
    });
  });

  it("takes the new flags too", async () => {
    const { as, file, at } = setup();
    await as("A")("post", "Short", "--ttl", "1m", "--affects", "src/deep/a.ts");
    await as("B")("post", "Other", "--affects", "port:3000", "--summary", "words here and there");
    const project = records(await as("A")("--json"))[0]?.project;
    const gone = { timestamp: Date.now() / 1000 - 120, ttl: 60, topic: "Over", source_instance: "A", project };
    appendFileSync(
      file,
      `${JSON.stringify(gone)}\n${JSON.stringify({ ...gone, topic: "Far", ttl: 3600, project: "far-0" })}\n`,
    );
    const seen = async (...flags: readonly string[]) => topics(await as("A")("list", "--json", ...flags));
    const domains = { A: { keywords: ["words"] } };
    writeFileSync(join(at.claudeHome, ".claude/pool/config.json"), JSON.stringify({ domains }));
    expect({
      me: await seen("--instance", "me"),
      limit: await seen("--limit", "1"),
      expired: await seen("--include-expired"),
      path: await seen("--path", "src/"),
      resource: await seen("--path", "port:3000"),
      search: await seen("--search", "THERE words"),
      project: await seen("--project", "far-0"),
      projects: (await seen("--all-projects")).length,
      relevant: await seen("--min-relevance", "0.3"),
    }).toEqual({
      me: ["Short"],
      limit: ["Other"],
      expired: ["Other", "Short", "Over"],
      path: ["Short"],
      resource: ["Other"],
      search: ["Other"],
      project: ["Far"],
      projects: 3,
      relevant: ["Other"],
    });
  });

  it("counts only with --summary, and says everything with --verbose", async () => {
    const { log, as } = setup();
    await as("A")("post", "x", "--ttl", "2h");
    const [short, long] = [await log("-s"), await log("-v")];
    expect([short.stdout, long.stdout.split("\n").slice(5)]).toEqual([
      "1 entry\nBy instance: A 1\nBy action: signaling 1\n",
      ["    Shown for: 2h", expect.stringMatching(/^ {4}ID: [0-9a-f-]{36}$/), ""],
    ]);
  });

  it.each([
    [["--since", "yesterday"], '--since: expected a time such as 30m, 1h30m, 2d or 1w, got "yesterday".'],
    [["--limit", "0"], "--limit: expected a whole number of at least 1, got"],
    [["--min-relevance", "2"], "--min-relevance: expected a number from 0 to 1, got 2."],
    [["--action", "frobnicate"], "action: expected completed, blocked, claimed"],
    [["--topics", "x"], "(Did you mean --topic?)"],
    [["claim"], 'what: expected paths, globs or resources, or --topic, as in `claude-pool log claim "src/auth/**"`.'],
    [["post", "x", "--ttl", "5s"], '--ttl: expected a time from 1m to 1w, such as 30m, 1h30m or 2d, got "5s".'],
    [["claim", "a", "--ttl", "8d"], '--ttl: expected a time from 1m to 1w, such as 30m, 1h30m or 2d, got "8d".'],
    [["claim", "a", "--ttl", "5"], '--ttl: expected a time from 1m to 1w, such as 30m, 1h30m or 2d, got "5".'],
    [["purge"], "purge: expected --older-than or --everything, and not both."],
    [["post", " "], "topic: expected a topic or a summary that says something"],
    [["release", "--force"], "ids beside force"],
  ])("refuses %j as misuse, with exit code 2", async (argv, message) => {
    const { log } = setup();
    const ran = await log(...argv);
    expect([ran.exitCode, ran.stdout, ran.stderr]).toEqual([2, "", expect.stringContaining(message)]);
  });

  it("shows hostile text as inert lines", async () => {
    const { log, file } = setup();
    await log("post", "x");
    const topic = "one\n[12:00:00] [root] COMPLETED: two\u001b[31m\u202egnp\u0007\u001b]0;title\u0007";
    const hostile = { timestamp: Date.now() / 1000, topic, source_instance: "\u001b[2J", summary: "\r\nnext" };
    appendFileSync(file, `${JSON.stringify(hostile)}\n`);
    const { stdout } = await log();
    // eslint-disable-next-line no-control-regex -- control characters are what is looked for
    expect([/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/.test(stdout), stdout.split("\n").length]).toEqual([
      false,
      9,
    ]);
  });

  it("lets no secret reach the disk, in whichever argument it stands", async () => {
    const { log, as, at } = setup();
    const secret = "ghp_" + "Zx81kQpL0vBn7TtYw2Rm".repeat(2);
    const password = "hunter2hunter2";
    const said = `the token ${secret}, password=${password}, https://me:${password}@example.org`;
    await log(
      "post",
      said,
      "--summary",
      said,
      "--blocks",
      said,
      "--affects",
      `src/${secret}.ts`,
      "--ref",
      secret.slice(0, 36),
      "--action",
      secret,
    );
    await log("claim", `lib/${secret}/**`, "--topic", said, "--summary", `${"x".repeat(590)} ${secret}`);
    await as(secret)("release", "--path", "lib");
    const files = readdirSync(at.claudeHome, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
    const texts = files.map((file) => file.name + readFileSync(join(file.parentPath, file.name), "utf8"));
    const parts = [secret.slice(0, 20), secret.slice(10, 30), password];
    expect([texts.length > 1, parts.filter((part) => texts.some((text) => text.includes(part)))]).toEqual([true, []]);
  });

  it("says how many lines it could not read, and shows the others", async () => {
    const { log, file } = setup();
    await log("post", "good");
    appendFileSync(file, "{\nnull\n");
    const ran = await log("--json");
    expect([topics(ran), ran.stderr]).toEqual([
      ["good"],
      "2 lines could not be read: `claude-pool log doctor` says more.\n",
    ]);
  });
});

describe("claude-pool log claim", () => {
  it("gives one terminal what two ask for, and tells the other whose it is, with exit code 4", async () => {
    const { as } = setup();
    const first = await as("A")("claim", "src/auth/**", "port:3000", "--summary", "Rewriting");
    const refused = await as("B")("claim", "src/auth/login.ts", "--json");
    const listed = await as("B")("list", "--claims");
    const released = await as("A")("release");
    const second = await as("B")("claim", "src/auth/login.ts");
    const [{ granted, conflict } = {}] = records(refused);
    expect({
      exits: [first, refused, released, second].map(({ exitCode }) => exitCode),
      granted,
      id: (conflict as { readonly id: string }).id === first.stdout.trim(),
      stderr: refused.stderr,
      listed: listed.stdout,
    }).toEqual({
      exits: [0, 4, 0, 0],
      granted: false,
      id: true,
      stderr: expect.stringMatching(
        /^Not granted: A has claimed src\/auth\/\*\*, port:3000 for \d+s, 59m left\.\n$/,
      ) as string,
      listed: expect.stringMatching(/^A has claimed src\/auth\/\*\*, port:3000 for \d+s, 59m left\n$/) as string,
    });
  });

  it("of a topic alone holds the topic", async () => {
    const { as } = setup();
    await as("A")("claim", "--topic", "Release 2.4");
    expect((await as("B")("claim", "--topic", "release 2.4")).exitCode).toBe(4);
  });

  it("by force waits for whoever was first, and says so", async () => {
    const { as } = setup();
    await as("A")("claim", "src");
    expect(await as("B")("claim", "src/x.ts", "--force")).toEqual({
      exitCode: 4,
      stdout: expect.stringMatching(/^[\da-f-]{36}\n$/) as string,
      stderr: expect.stringMatching(
        /^Not granted yet: A has claimed src for \d+s, 59m left\. Your claim waits in the log, and holds when that one ends\.\n$/,
      ) as string,
    });
  });

  it("release says of a terminal that holds nothing just that", async () => {
    const { as } = setup();
    expect(await as("A")("release")).toEqual({
      exitCode: 0,
      stdout: "",
      stderr: "This terminal holds no claims: `claude-pool log list --claims` shows those of all.\n",
    });
  });

  it("release names claims by id, by path and by topic, and does not find what is not there", async () => {
    const { as } = setup();
    const ids: string[] = [];
    for (const what of ["one", "two", "three"]) ids.push((await as("A")("claim", what)).stdout.trim());
    const codes = [
      await as("A")("release", ids[0] ?? ""),
      await as("A")("release", "--path", "two/x.ts"),
      await as("A")("release", "--path", "two/x.ts"),
      await as("A")("release", "nothing"),
      await as("B")("release", ids[2] ?? ""),
      await as("B")("release", ids[2] ?? "", "--force"),
      await as("A")("release"),
    ].map(({ exitCode }) => exitCode);
    expect([codes, (await as("A")("list", "--claims")).stdout]).toEqual([[0, 0, 4, 4, 4, 0, 0], ""]);
  });
});

describe("the other commands of claude-pool log", () => {
  it("post writes what stands there only once, and takes its text from stdin", async () => {
    const { as, at } = setup();
    const first = await as("A")("post", "Done", "--json");
    const again = await as("A")("post", "done");
    await at.run(["log", "post", "-"], { stdin: "From a pipe\n", env: { POOL_INSTANCE: "A" } });
    expect([records(first)[0]?.topic, again, topics(await as("A")("--json"))]).toEqual([
      "Done",
      { exitCode: 0, stdout: "", stderr: "It stands there already; nothing was written.\n" },
      ["From a pipe", "Done"],
    ]);
  });

  it("post stops a flood with exit code 4", async () => {
    const { as } = setup();
    const codes: number[] = [];
    for (let index = 0; index < 13; index += 1) codes.push((await as("A")("post", `t${String(index)}`)).exitCode);
    expect(codes).toEqual([...Array.from({ length: 12 }, () => 0), 4]);
  });

  it("show prints one entry, by the beginning of its id", async () => {
    const { log } = setup();
    const id = (await log("post", "x", "--summary", "All of it")).stdout.trim();
    const [shown, json, missing] = [
      await log("show", id.slice(0, 30)),
      await log("show", id, "--json"),
      await log("show", "zzzz"),
    ];
    expect([shown.stdout.includes("All of it"), records(json)[0]?.id, missing.exitCode]).toEqual([true, id, 4]);
  });

  it("who tells who takes part and what they hold", async () => {
    const { as } = setup();
    await as("A")("claim", "src");
    await as("B")("post", "hello", "-a", "health");
    const all = records(await as("B")("who", "--json")).map(({ label, state, own, claims, last }) => [
      label,
      state,
      own,
      (claims as readonly unknown[]).length,
      (last as { readonly action: string }).action,
    ]);
    const { stdout } = await as("B")("who");
    expect([all, stdout.split("\n")[0], stdout.includes("B (me)")]).toEqual([
      [
        ["B", "live", true, 0, "health"],
        ["A", "live", false, 1, "claimed"],
      ],
      "instance  state  seen    branch  claims  last",
      true,
    ]);
  });

  it("follow prints what comes, over a rotation too, until it is interrupted", async () => {
    const { as, at } = setup();
    await as("A")("post", "before");
    const call = at.start(["log", "follow", "--json", "--action", "completed"]);
    await as("A")("post", "one", "-a", "completed");
    await as("A")("post", "not this", "-a", "blocked");
    await as("A")("post", "two", "-a", "completed");
    await call.hasPrinted("two");
    call.interrupt();
    const ran = await call.ran;
    expect([ran.exitCode, topics(ran)]).toEqual([0, ["one", "two"]]);
  });

  it("doctor finds what is wrong, and says so in its exit code where nothing can be written", async () => {
    const { log, file, at } = setup();
    const empty = await log("doctor");
    await log("post", "x");
    appendFileSync(file, "garbage\n{");
    writeFileSync(join(file, "..", "errors.log"), "older\n2026-01-01 a hook failed\n");
    mkdirSync(join(at.project, ".git"));
    mkdirSync(join(at.project, ".claude/pool"), { recursive: true });
    writeFileSync(join(at.project, ".claude/pool/instance_state.jsonl"), "");
    const ill = records(await log("doctor", "--json")).filter(({ level }) => level !== "ok");
    const broken = await at.run(["log", "doctor"], { env: { POOL_HOME: file } });
    expect([empty.exitCode, ill.map(({ check, level }) => [check, level]), broken.exitCode]).toEqual([
      0,
      [
        ["file", "warning"],
        ["lines", "warning"],
        ["errors", "warning"],
        ["place", "warning"],
      ],
      1,
    ]);
  });

  it("purge removes a project's entries by age, and all of them only when told", async () => {
    const { log, file } = setup();
    await log("post", "new");
    const project = records(await log("--json"))[0]?.project;
    const old = { timestamp: Date.now() / 1000 - 86_400, topic: "old", project };
    appendFileSync(file, `${JSON.stringify(old)}\n${JSON.stringify({ ...old, project: "far-0" })}\nno json\n`);
    const dry = await log("purge", "--older-than", "1h", "--dry-run");
    const real = await log("purge", "--older-than", "1h", "--json");
    const left = topics(await log("--all", "--all-projects", "--json"));
    const rest = await log("purge", "--everything", "--all-projects");
    expect([dry.stdout, records(real), left, rest.stdout, readFileSync(file, "utf8")]).toEqual([
      "1 would be removed, 3 kept\n",
      [{ removed: 1, kept: 3, sessions: 0 }],
      ["new", "old"],
      "3 removed, 0 kept\n",
      "",
    ]);
  });

  it("says what is wrong where the log cannot be written, with exit code 1", async () => {
    const { at, file } = setup();
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, "");
    const ran = await at.run(["log", "post", "x", "--json"], { env: { POOL_HOME: file } });
    expect([
      ran.exitCode,
      (JSON.parse(ran.stderr) as { readonly error: { readonly code: string } }).error.code,
    ]).toEqual([1, "log_failed"]);
  });
});
