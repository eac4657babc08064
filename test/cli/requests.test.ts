/** What running tasks ask for, on the command line. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { AskedTool, ToolDecision } from "../../src/core/runner-port.ts";
import { openPool } from "../../src/open-pool.ts";
import type { Pool } from "../../src/pool.ts";
import { storePath } from "../../src/project.ts";
import { startScriptedApi, text, toolUse } from "../../src/testing/index.ts";
import { scriptedRunner } from "../../src/testing/scripted-runner.ts";
import { rig, type Rig } from "./rig.ts";

let place: Rig;
const pools: Pool[] = [];

beforeEach(() => {
  place = rig();
});

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
  place[Symbol.dispose]();
});

interface Asking {
  readonly pool: Pool;
  readonly taskId: string;
  readonly id: string;
  readonly decided: Promise<ToolDecision>;
}

/** A host of this place's pool, whose one task asks to use a tool. */
async function asking(asked: AskedTool): Promise<Asking> {
  const decided = Promise.withResolvers<ToolDecision>();
  const runner = scriptedRunner(async (_, __, { desk, signal }) => {
    if (desk !== undefined) decided.resolve(await desk.decide(asked, signal));
    return "done";
  });
  const store = storePath(place.project, { CLAUDE_POOL_HOME: place.poolHome });
  const pool = await openPool({ cwd: place.project, store, runner, permissionMode: "default" });
  pools.push(pool);
  const { id: taskId } = await pool.submit("ask");
  for await (const event of pool.events({ after: 0 })) {
    if (event.type === "permission.requested")
      return { pool, taskId, id: event.data.requestId, decided: decided.promise };
  }
  throw new Error("nothing was asked");
}

const npmTest: AskedTool = { tool: "Bash", input: { command: "npm test" } };

describe("requests", () => {
  it("lists what waits and for whom; status counts it and list shows it", async () => {
    const { id, taskId } = await asking(npmTest);
    const [listed, json, status, tasks] = await Promise.all([
      place.run(["requests"]),
      place.run(["requests", "--json"]),
      place.run(["status"]),
      place.run(["list"]),
    ]);
    const record = JSON.parse(json.stdout) as Readonly<Record<string, unknown>>;
    expect({
      listed: listed.stdout.split("\n")[1]?.replace(/ \d+m\d+s/, " TIME"),
      record: [record["id"], record["kind"], record["tool"], record["tool_input"], record["task_id"], record["state"]],
      status: /^waiting .*$/m.exec(status.stdout)?.[0],
      tasks: tasks.stdout.includes("running (permission)"),
    }).toEqual({
      listed: `${id}  open   ${taskId}  slot-1  TIME  Bash npm test`,
      record: [id, "permission", "Bash", { command: "npm test" }, taskId, "open"],
      status: "waiting  1 request for an answer (claude-pool requests)",
      tasks: true,
    });
  });

  it("allows with a rule, which is listed and revoked", async () => {
    const { id, decided } = await asking(npmTest);
    const allowed = await place.run(["requests", "allow", id, "--always", "Bash(npm test:*)"]);
    const rules = await place.run(["requests", "rules", "--json"]);
    const rule = JSON.parse(rules.stdout) as { readonly id: string; readonly rule: string; readonly decision: string };
    const revoked = await place.run(["requests", "revoke", "Bash(npm test:*)"]);
    const again = await place.run(["requests", "revoke", rule.id]);
    expect({
      decision: await decided,
      allowed,
      rule: [rule.rule, rule.decision],
      revoked: revoked.stdout,
      again: again.exitCode,
      left: (await place.run(["requests", "rules"])).stderr,
    }).toEqual({
      decision: { decision: "allow" },
      allowed: {
        exitCode: 0,
        stdout: `${id}  allowed\n`,
        stderr: `From now on: allow Bash(npm test:*) (${rule.id}).\n`,
      },
      rule: ["Bash(npm test:*)", "allow"],
      revoked: `${rule.id}  allow  Bash(npm test:*)\n`,
      again: 4,
      left: "No rules: every request is asked.\n",
    });
  });

  it("denies with a message, by the beginning of the id, and only once", async () => {
    const { id, decided } = await asking(npmTest);
    const denied = await place.run(["requests", "deny", id.slice(0, 9), "--message", "use pnpm"]);
    const late = await place.run(["requests", "allow", id]);
    expect([denied.stdout, await decided, late.exitCode, late.stderr]).toEqual([
      `${id}  denied\n`,
      { decision: "deny", message: "use pnpm", isAnswered: true },
      4,
      `error: Request ${id} was denied already (by hand); this answer changes nothing.\n`,
    ]);
  });

  it("shows hostile input as it is, and lets nothing of it act on the terminal", async () => {
    const command = "echo ok\u001b[2K\u001b[1A\u202e; rm -rf /\r\u0007#\u200b";
    const { id } = await asking({ tool: "Bash", input: { command, "\u001b]0;x": "y" } });
    const [listed, shown] = await Promise.all([place.run(["requests"]), place.run(["requests", "show", id])]);
    const control = /[\p{Cc}\p{Cf}]/u;
    expect({
      harmless: [listed, shown].map(({ stdout }) => control.test(stdout.replaceAll("\n", ""))),
      whole: shown.stdout.includes("echo ok\\u{1b}[2K\\u{1b}[1A\\u{202e}; rm -rf /\\u{d}\\u{7}#\\u{200b}"),
    }).toEqual({ harmless: [false, false], whole: true });
  });

  it("follows: what is open, then what comes, until it is interrupted", async () => {
    const { id, pool } = await asking(npmTest);
    const running = place.start(["requests", "--follow", "--json"]);
    await pool.requests.allow(id);
    const second = await pool.submit("ask again");
    for await (const event of pool.events({ after: 0, taskId: second.id }))
      if (event.type === "permission.requested") break;
    await pool.requests.deny((await pool.requests.list())[0]?.id ?? "");
    await running.hasPrinted(second.id);
    running.interrupt();
    const { exitCode, stdout } = await running.ran;
    const tasks = stdout
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { task_id: string }).task_id);
    expect([exitCode, tasks.at(-1)]).toEqual([0, second.id]);
  });

  it("of a run at this terminal says what is asked and how to answer; another terminal allows it", async () => {
    const api = await startScriptedApi();
    onTestFinished(() => api.close());
    place.userFile({ env: api.environment(place.claudeHome) });
    const file = join(place.project, "a.txt");
    api.on("Write a.txt", toolUse("Write", { file_path: file, content: "written" }), text("Done."));
    const running = place.start(["run", "--permission-mode", "default", "Write a.txt"]);
    const waited = await place.run(["requests", "--wait", "--json"]);
    const { id } = JSON.parse(waited.stdout) as { readonly id: string };
    await place.run(["requests", "allow", id]);
    const { exitCode, stdout, stderr } = await running.ran;
    expect({
      exitCode,
      stdout,
      told: stderr.includes(`asks to use Write ${file}\n  claude-pool requests allow ${id}\n`),
      written: readFileSync(file, "utf8"),
    }).toEqual({ exitCode: 0, stdout: "Done.\n", told: true, written: "written" });
  });

  it("waits for the first that is asked, and ends with it", async () => {
    const { id, pool } = await asking(npmTest);
    await pool.requests.allow(id);
    const running = place.start(["requests", "--wait", "--json"]);
    const { id: taskId } = await pool.submit("ask again");
    const { exitCode, stdout } = await running.ran; // be it asked before the look or after it
    const { state, task_id: of } = JSON.parse(stdout) as { readonly state: string; readonly task_id: string };
    expect([exitCode, state, of]).toEqual([0, "open", taskId]);
  });

  it.each([
    [["requests", "allow", "req-0000000000"], 4],
    [["requests", "deny", "nonsense"], 4],
    [["requests", "add-rule", "Skill(x)"], 2],
    [["requests", "list", "--limit", "0"], 2],
    [["requests", "list", "--task", "task-nothere00000"], 4],
  ])("%j is refused with exit code %i", async (argv, exitCode) => {
    const ran = await place.run(argv);
    expect([ran.exitCode, ran.stderr.startsWith("error: ")]).toEqual([exitCode, true]);
  });
});
