import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { OpenPoolOptions } from "../../src/core/api.ts";
import type { Pool } from "../../src/pool.ts";
import { text, toolUse, toolUses, type LoggedRequest } from "../../src/testing/index.ts";
import { eventOf } from "../engine/scripted-pool.ts";
import { clientOf } from "../mcp/rig.ts";
import { place, realPool, type Place } from "./real-pool.ts";

/** The first request, or the first after another, once there is one. */
async function asked(pool: Pool, but?: string): Promise<string> {
  for await (const event of pool.events({ after: 0 })) {
    if (event.type !== "permission.requested" && event.type !== "question.asked") continue;
    if (event.data.requestId !== but) return event.data.requestId;
  }
  throw new Error("the log ended without a request");
}

/** A host in a process of its own, that has submitted a task. */
async function hostOf(message: readonly [OpenPoolOptions, string]): Promise<ChildProcess> {
  const host = fork(new URL("asking-host.ts", import.meta.url), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  onTestFinished(() => {
    host.kill("SIGKILL"); // only what a failed test has left
  });
  host.send(message);
  await once(host, "message");
  return host;
}

/** What the model was told of its tools, in its last request for this prompt. */
function toolResults(here: Place, prompt: string): string {
  const requests = here.api.requests.filter((request: LoggedRequest) => request.prompt.includes(prompt));
  return JSON.stringify((requests.at(-1)?.body as { messages?: readonly unknown[] }).messages?.at(-1));
}

describe("a task in mode default on the real CLI", () => {
  test("asks before it writes, and writes once another process has allowed it", async () => {
    const here = await place();
    const file = join(here.work, "notes.txt");
    here.api.on("write the notes", toolUse("Write", { file_path: file, content: "noted" }), text("written"));
    await realPool(here, { permissionMode: "default" });
    const other = await realPool(here, { slots: 0 });
    const task = await other.submit("write the notes");
    const id = await asked(other);
    const [request] = await other.requests.list();
    const before = {
      exists: existsSync(file),
      waits: (await task.get()).waitsFor,
      open: (await other.status()).openRequests,
    };
    await other.requests.allow(id);
    const outcome = await task.outcome();
    expect({
      request: [request?.kind, request?.tool, request?.toolInput, request?.taskId],
      before,
      after: [outcome.state, readFileSync(file, "utf8"), (await other.status()).openRequests],
    }).toEqual({
      request: ["permission", "Write", { file_path: file, content: "noted" }, task.id],
      before: { exists: false, waits: "permission", open: 1 },
      after: ["completed", "noted", 0],
    });
  });

  test("is told why it was denied, goes on, and does not fail for it", async () => {
    const here = await place();
    const file = join(here.work, "notes.txt");
    here.api.on("write the notes", toolUse("Write", { file_path: file, content: "x" }), text("then not"));
    const pool = await realPool(here, { permissionMode: "default" });
    const task = await pool.submit("write the notes");
    await pool.requests.deny(await asked(pool), { message: "Write to docs/ instead, please." });
    const { state, result } = await task.outcome();
    expect({
      state,
      output: result?.output,
      denials: result?.permissionDenials?.map(({ toolName }) => toolName),
      told: toolResults(here, "write the notes").includes("Write to docs/ instead, please."),
      exists: existsSync(file),
    }).toEqual({ state: "completed", output: "then not", denials: ["Write"], told: true, exists: false });
  });

  test("is denied when nobody answers in time, and fails if it ends on that", async () => {
    const here = await place();
    here.api.on("write the notes", toolUse("Write", { file_path: join(here.work, "x"), content: "x" }), text("no"));
    const pool = await realPool(here, { permissionMode: "default", permissionTimeoutSecs: 0.2 });
    const task = await pool.submit("write the notes");
    const { state, result } = await task.outcome();
    const [request] = await pool.requests.list({ all: true });
    expect({
      state,
      reason: result?.reason,
      request: [request?.state, request?.answeredBy],
      told: toolResults(here, "write the notes").includes("Nobody answered the request to use Write within 0.2 s"),
    }).toEqual({ state: "failed", reason: "permission", request: ["denied", "timeout"], told: true });
  });

  test("asks no more for what a rule covers, and asks for what it does not", async () => {
    const here = await place();
    const [one, two] = [join(here.work, "src", "one"), join(here.work, "src", "two")];
    here.api.on("first piece", toolUse("Write", { file_path: one, content: "1" }), text("done"));
    here.api.on("second piece", toolUse("Write", { file_path: two, content: "2" }), text("done"));
    here.api.on("third piece", toolUse("Write", { file_path: join(here.work, "three"), content: "3" }), text("done"));
    const pool = await realPool(here, { permissionMode: "default", permissionTimeoutSecs: 20 });
    const first = await pool.submit("first piece");
    await pool.requests.allow(await asked(pool), { always: "Edit(src/**)" });
    await first.outcome();
    await pool.run("second piece");
    const ofRule = (await pool.eventsAfter(0, 1_000)).flatMap((event) =>
      event.type === "permission.answered" && event.data.by === "rule" ? [event.data.summary] : [],
    );
    const third = await pool.submit("third piece");
    await eventOf(pool, "permission.requested", third.id);
    await pool.cancel(third.id);
    expect({
      written: [readFileSync(one, "utf8"), readFileSync(two, "utf8"), existsSync(join(here.work, "three"))],
      ofRule,
      open: (await pool.requests.list()).length,
      closed: (await pool.requests.list({ all: true, taskId: third.id })).map(({ state }) => state),
    }).toEqual({ written: ["1", "2", false], ofRule: [two], open: 0, closed: ["closed"] });
  });

  test.each([
    ["the pool asks nobody", { permissionRequests: "deny", permissionMode: "default" } as const],
    ["nobody attends", { unattendedMode: true, permissionMode: "default" } as const],
    ["another mode decides", { permissionMode: "acceptEdits" } as const],
    ["it only plans", { permissionMode: "plan" } as const],
  ])("is denied at once, and fails on that, where %s", async (_, options) => {
    const here = await place();
    here.api.on("run it", toolUse("Bash", { command: "node -e 1" }), text("no"));
    const pool = await realPool(here, options);
    const { state, result } = await (await pool.submit("run it")).outcome();
    expect([state, result?.reason, (await pool.requests.list({ all: true })).length]).toEqual([
      "failed",
      "permission",
      0,
    ]);
  });

  test("asks anew when its process dies while it waits, and the answer to the first request is refused", async () => {
    const here = await place();
    const file = join(here.work, "notes.txt");
    const write = toolUse("Write", { file_path: file, content: "noted" });
    here.api.on("write the notes", write, text("written")).on("cut off by a crash", write, text("written"));
    const pool = await realPool(here, { permissionMode: "default" });
    const task = await pool.submit("write the notes");
    const first = await asked(pool);
    const [slot] = await pool.findSlots();
    process.kill(slot?.process?.pid ?? 0, "SIGKILL");
    const second = await asked(pool, first);
    const late = await pool.requests.allow(first).catch((error: unknown) => (error as { code: string }).code);
    await pool.requests.allow(second);
    const outcome = await task.outcome();
    expect([late, outcome.state, readFileSync(file, "utf8")]).toEqual(["request_over", "completed", "noted"]);
  });

  test("asks anew after its host was killed while it waited, and is allowed by a process that hosts nothing", async () => {
    const here = await place();
    const file = join(here.work, "notes.txt");
    const write = toolUse("Write", { file_path: file, content: "noted" });
    here.api.on("write the notes", write, text("written")).on("cut off by a crash", write, text("written"));
    const options = { ...here.options, permissionMode: "default" as const };
    const looker = await realPool(here, { slots: 0 });
    const first = await hostOf([options, "write the notes"]);
    const request = await asked(looker);
    first.kill("SIGKILL");
    await once(first, "exit");
    const second = await hostOf([options, "something else"]);
    const again = await asked(looker, request);
    const [closed] = (await looker.requests.list({ all: true })).filter(({ id }) => id === request);
    await looker.requests.allow(again);
    const outcome = await looker.task(closed?.taskId ?? "").outcome();
    second.disconnect(); // killed, it would leave its CLI at work in the folder that is removed next
    await once(second, "exit");
    expect([closed?.state, outcome.state, readFileSync(file, "utf8")]).toEqual(["closed", "completed", "noted"]);
  });

  test("is asked again, whatever the rules, about what Claude itself is careful with", async () => {
    const here = await place();
    const hook = join(here.work, ".git", "hooks", "pre-commit");
    const outside = join(here.root, "outside.txt");
    here.api.on("hook it", toolUse("Write", { file_path: hook, content: "x" }), text("no"));
    here.api.on("leave it", toolUse("Write", { file_path: outside, content: "x" }), text("no"));
    const pool = await realPool(here, { permissionMode: "default", slots: 2 });
    await pool.requests.addRule("Edit");
    const tasks = await pool.submitMany(["hook it", "leave it"]);
    for (const { id } of tasks) await eventOf(pool, "permission.requested", id);
    const requests = await pool.requests.list();
    const sensitive = requests.find((request) => request.isSensitive === true);
    const refused = await pool.requests
      .allow(sensitive?.id ?? "", { always: true })
      .catch((error: unknown) => (error as { code: string }).code);
    for (const { id } of requests) await pool.requests.deny(id);
    for (const task of tasks) await task.outcome();
    expect({
      sensitive: sensitive?.toolInput?.["file_path"],
      outside: requests.find((request) => request.isOutside === true)?.toolInput?.["file_path"],
      refused,
      written: [existsSync(hook), existsSync(outside)],
    }).toEqual({ sensitive: hook, outside, refused: "invalid_options", written: [false, false] });
  });

  test("is allowed by a coordinator over MCP, whose waiting call ends when it asks", async () => {
    const here = await place();
    const file = join(here.work, "notes.txt");
    here.api.on("write the notes", toolUse("Write", { file_path: file, content: "noted" }), text("written"));
    const pool = await realPool(here, { permissionMode: "default" });
    const client = await clientOf(pool);
    const call = async (
      name: string,
      given: Readonly<Record<string, unknown>>,
    ): Promise<Readonly<Record<string, unknown>>> =>
      (await client.callTool({ name, arguments: given })).structuredContent as Readonly<Record<string, unknown>>;
    const ran = await call("pool_run", { prompt: "write the notes" });
    const { requests } = (await call("pool_requests", {})) as { readonly requests: readonly { readonly id: string }[] };
    await call("pool_answer", { request_id: requests[0]?.id, decision: "allow" });
    const waited = await call("pool_wait", { task_ids: [ran["task_id"]] });
    const [done] = waited["done"] as readonly { readonly output: string }[];
    expect([ran["state"], done?.output, readFileSync(file, "utf8")]).toEqual(["running", "written", "noted"]);
  });

  test("is not silent while it waits, but has no more time than it was given", async () => {
    const here = await place();
    here.api.on("write the notes", toolUse("Write", { file_path: join(here.work, "x"), content: "x" }), text("no"));
    const pool = await realPool(here, { permissionMode: "default", silenceTimeoutMs: 1_500 });
    await pool.run("get warm");
    const task = await pool.submit("write the notes", { timeoutMs: 5_000 });
    const { result } = await task.outcome();
    const [request] = await pool.requests.list({ all: true });
    expect([result?.reason, request?.state, request?.answeredBy]).toEqual(["timed_out", "closed", "end"]);
  });

  test("has several asked at once, each answered by itself", async () => {
    const here = await place();
    const [a, b] = [join(here.work, "a"), join(here.work, "b")];
    const calls = [a, b].map((path) => ({ name: "Write", input: { file_path: path, content: path } }));
    here.api.on("write both", toolUses(calls), text("done"));
    const pool = await realPool(here, { permissionMode: "default" });
    const task = await pool.submit("write both");
    for await (const event of pool.events({ after: 0 })) {
      if (event.type === "permission.requested") {
        const answer = event.data.summary === a ? ("allow" as const) : ("deny" as const);
        await pool.requests.decide(event.data.requestId, { decision: answer });
      }
      if (event.type === "task.finished") break;
    }
    expect([(await task.outcome()).state, existsSync(a), existsSync(b)]).toEqual(["completed", true, false]);
  });
});
