/** A log that an ordinary user may not write or read: what the program says of it, as that user. */
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";

const entry = new URL("../../src/cli/main.ts", import.meta.url).href;
const hook = fileURLToPath(new URL("../../plugin/hooks/claude-pool-hook.cjs", import.meta.url));
const nobody = 65_534;
const isRoot = process.getuid?.() === 0;

interface Said {
  readonly status: number | null;
  readonly text: string;
}

interface Place {
  readonly home: string;
  readonly pool: string;
  /** Several calls of `log` in one process, each given as words. */
  readonly log: (...calls: readonly string[]) => readonly Said[];
  /** SessionStart, with the place's own names taken out of what it says. */
  readonly hook: () => Said;
}

/**
 * Root may read and write everything, so what is tested runs without that right then. Not as another user, whom the checkout
 * may be closed to.
 */
const ordinary = isRoot ? ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"] : [];

function setup(): Place {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "claude-pool-user-")));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const [home, work] = [join(root, "home"), join(root, "work")];
  for (const path of [home, work]) mkdirSync(path);
  const run = (argv: readonly string[], input = ""): Said => {
    const [program = "", ...words] = [...ordinary, process.execPath, ...argv];
    const { status, stdout, stderr } = spawnSync(program, words, {
      cwd: work,
      env: { PATH: process.env.PATH, HOME: home },
      encoding: "utf8",
      input,
    });
    return { status, text: `${stdout}${stderr}`.replaceAll(root, "") };
  };
  const code = `
    import { PassThrough, Readable } from "node:stream";
    import { main } from ${JSON.stringify(entry)};
    const said = [];
    for (const call of process.argv.slice(1)) {
      const sink = new PassThrough().setEncoding("utf8");
      const streams = { stdout: sink, stderr: sink, stdin: Readable.from([]) };
      const status = await main(["log", ...call.split(" ")], { ...streams, env: process.env, cwd: process.cwd(), onInterrupt: () => () => {} });
      said.push({ status, text: sink.read() ?? "" });
    }
    console.log(JSON.stringify(said));`;
  const start = { hook_event_name: "SessionStart", session_id: "s", cwd: work, source: "startup" };
  return {
    home,
    pool: join(home, ".claude", "pool"),
    log: (...calls) => JSON.parse(run(["--input-type=module", "-e", code, "--", ...calls]).text) as readonly Said[],
    hook: () => run([hook], JSON.stringify(start)),
  };
}

/** What doctor finds wrong. */
function wrong({ text, status }: Said = { text: "", status: null }): readonly unknown[] {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("ok "));
  return [status, ...lines];
}

const elsewhere = "`claude-pool log doctor` looks at it; POOL_HOME puts the log elsewhere.";

describe.skipIf(process.platform === "win32")("an ordinary user", () => {
  it("is told of a home that cannot be written, and its hooks stay silent", () => {
    const { home, log, hook } = setup();
    chmodSync(home, 0o555);
    const [posted, claimed, listed, doctor] = log("post x", "claim src/", "list", "doctor");
    const why = `error: The activity log could not be written: EACCES: permission denied, mkdir '/home/.claude'. ${elsewhere}\n`;
    expect([posted, claimed, listed, hook(), wrong(doctor)]).toEqual([
      { status: 1, text: why },
      { status: 1, text: why },
      { status: 0, text: "No entries found.\n" },
      { status: 0, text: "" },
      [
        1,
        "error folder: /home/.claude/pool cannot be made: /home cannot be written. Make that writable, or put the log elsewhere with POOL_HOME.",
      ],
    ]);
    chmodSync(home, 0o755);
  });

  it("is told of a log that cannot be read, and not that it is empty", () => {
    const { pool, log, hook } = setup();
    log("post x");
    chmodSync(join(pool, "instance_state.jsonl"), 0o000);
    const [doctor, ...said] = log("doctor", "list", "who", "list --claims", "show x");
    const text = `error: The activity log cannot be read: EACCES: permission denied, access '/home/.claude/pool/instance_state.jsonl'. ${elsewhere}\n`;
    expect([said, hook().status, wrong(doctor)]).toEqual([
      Array(4).fill({ status: 1, text }),
      0,
      [1, "error file: /home/.claude/pool/instance_state.jsonl cannot be read and written by you (chmod 600 it)."],
    ]);
  });

  it("is told of a folder in the log's that cannot be written, and writes all the same", () => {
    const { pool, log } = setup();
    log("post x");
    chmodSync(join(pool, "sessions"), 0o500);
    const [posted, doctor, listed] = log("post y", "doctor", "list --json");
    expect([posted?.status, wrong(doctor)[1], listed?.text.split("\n").length]).toEqual([
      0,
      "error folder: /home/.claude/pool/sessions cannot be written.",
      3,
    ]);
  });

  it.runIf(isRoot)("is told of a folder that belongs to somebody else", () => {
    const { pool, log, hook } = setup();
    log("post x");
    chownSync(pool, nobody, nobody);
    const [posted, listed, doctor] = log("post y", "list", "doctor");
    const text = `error: /home/.claude/pool belongs to another user; the log is not kept there. ${elsewhere}\n`;
    expect([posted, listed, hook(), wrong(doctor)]).toEqual([
      { status: 1, text },
      { status: 1, text },
      { status: 0, text: "" },
      [
        1,
        "error folder: /home/.claude/pool belongs to another user; nothing is written there.",
        "error folder: /home/.claude/pool cannot be written.",
      ],
    ]);
  });
});
