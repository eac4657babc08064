import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { problemAnswer } from "../../src/schema/answers-rest.ts";
import { routes } from "../../src/server/routes.ts";
import { completed, failed } from "../../src/testing/outcomes.ts";
import { eventOf } from "../engine/scripted-pool.ts";
import { repository, writing } from "../mcp/repository.ts";
import { served, type Served } from "./serving.ts";

/** Asks, and holds the answer to what the route's entry says it is. */
function holding(server: Served) {
  const visited = new Set<string>();
  return {
    visited,
    ask: async <T>(
      method: string,
      path: string,
      body?: unknown,
      headers?: Readonly<Record<string, string>>,
    ): Promise<T> => {
      const answer = await server.send(method, path, body, headers);
      const route = routes.find((one) => one.method === method && pattern(one.path).test(path.split("?")[0] ?? ""));
      if (route === undefined) throw new Error(`no route ${method} ${path}`);
      expect([method, path, answer.status, answer.body]).toEqual([method, path, route.status, answer.body]);
      if (route.answer === undefined) expect(answer.body).toBe("");
      else route.answer.parse(answer.body);
      visited.add(route.name);
      return answer.body as T;
    },
  };
}

const pattern = (path: string): RegExp => new RegExp(`^${path.replace(/:\w+/g, "[^/]+")}$`);

interface Accepted {
  readonly task_id: string;
  readonly state: string;
}

it("answers on every route what the document says", async () => {
  const cwd = mkdtempSync(join(tmpdir(), "claude-pool-rest-"));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  const homes = { pool: join(cwd, "pool"), claude: join(cwd, "claude") };
  const server = await served({}, { cwd, homes, slots: [{}, { pull: true, name: "patient" }], budgetUsd: 100 });
  server.runner.on("broken", failed("error"));
  const { ask, visited } = holding(server);

  const task = await ask<Accepted>("POST", "/v1/tasks", { prompt: "work", tags: ["a"], model: "opus", effort: "min" });
  await ask("GET", `/v1/tasks/${task.task_id}/wait?timeout_ms=5000`);
  await ask("POST", "/v1/tasks/wait", { task_ids: [task.task_id], mode: "any" });
  await ask("GET", `/v1/tasks/${task.task_id}`);
  await ask("GET", `/v1/tasks/${task.task_id}/result`);
  await ask("GET", `/v1/tasks/${task.task_id}/runs`);
  await ask("GET", `/v1/tasks/${task.task_id}/events?after=0&limit=2`);
  await ask("GET", "/v1/tasks?state=completed&state=failed&tags=a&limit=10&order=oldest");
  const reviewed = await ask<Accepted>("POST", "/v1/tasks", { prompt: "look at it", review: true });
  await ask("GET", `/v1/tasks/${reviewed.task_id}/wait`);
  await ask("POST", `/v1/tasks/${reviewed.task_id}/reject`, { feedback: "again" });
  await ask("GET", `/v1/tasks/${reviewed.task_id}/wait`);
  await ask("POST", `/v1/tasks/${reviewed.task_id}/approve`);
  await ask("POST", "/v1/tasks/fan-out", { prompts: ["one", { prompt: "broken", tags: ["b"] }], priority: 3 });
  await ask("DELETE", `/v1/tasks/${task.task_id}`);

  const chain = await ask<{ readonly chain_id: string }>("POST", "/v1/chains", {
    steps: [
      {
        name: "first",
        prompt: "a",
        output_vars: { all: "." },
        missing_vars: "empty",
        retries: 1,
        recovery_prompt: "mend {error}",
      },
      { name: "second", prompt: "{previous_output}", model: "haiku" },
    ],
    tags: ["chains"],
  });
  await ask("GET", `/v1/tasks/${chain.chain_id}/wait`);
  await ask("GET", `/v1/chains/${chain.chain_id}`);
  await ask("GET", "/v1/chains?limit=1");
  const broken = await ask<{ readonly chain_id: string }>("POST", "/v1/chains", {
    steps: [{ name: "only", prompt: "broken" }],
  });
  await ask("GET", `/v1/tasks/${broken.chain_id}/wait`);
  const resumed = await ask<{ readonly chain_id: string }>("POST", `/v1/chains/${broken.chain_id}/resume`);
  await ask("DELETE", `/v1/chains/${resumed.chain_id}`);
  await ask("POST", "/v1/chains/fan-out", { chains: [{ steps: [{ name: "x", prompt: "x" }] }] });
  await ask("GET", "/v1/workflows");
  const { workflows } = await ask<{
    readonly workflows: readonly { readonly name: string; readonly arguments: readonly { readonly name: string }[] }[];
  }>("GET", "/v1/workflows");
  const workflow = workflows[0];
  const values = Object.fromEntries((workflow?.arguments ?? []).map(({ name }) => [name, "x"]));
  await ask("POST", `/v1/workflows/${workflow?.name ?? ""}/run`, { arguments: values });

  await ask("POST", "/v1/skills", {
    name: "greet",
    description: "greets",
    prompt: "Hello $ARGUMENTS",
    arguments: [{ name: "who", required: true }],
  });
  await ask("GET", "/v1/skills");
  await ask("GET", "/v1/skills/greet");
  await ask("POST", "/v1/skills/greet/run", { arguments: { who: "you" }, tags: ["greeting"] });
  await ask("DELETE", "/v1/skills/greet");

  await ask("PUT", "/v1/context/style%20of%20code", { value: "Tabs" });
  await ask("GET", "/v1/context");
  await ask("GET", "/v1/context/style%20of%20code");
  await ask("DELETE", "/v1/context/style%20of%20code");

  const { slots } = await ask<{ readonly slots: readonly { readonly id: string }[] }>("GET", "/v1/slots?name=patient");
  const slot = slots[0]?.id ?? "";
  await ask("GET", `/v1/slots/${slot}`);
  await ask("PATCH", `/v1/slots/${slot}`, { role: "reviewer" });
  await ask("POST", `/v1/slots/${slot}/claim`);
  await server.pool.drain({ graceMs: 5_000 });
  await ask("GET", "/v1/hosts");
  await ask("POST", "/v1/messages", { to: slot, content: "hello" });
  await ask("POST", "/v1/messages/broadcast", { content: "all" });
  await ask("GET", `/v1/messages/${slot}`);
  await ask("POST", `/v1/messages/${slot}/read`);

  await ask("GET", "/v1/requests?all=true");
  const rule = await ask<{ readonly id: string }>("POST", "/v1/permission-rules", { rule: "Bash(npm test:*)" });
  await ask("GET", "/v1/permission-rules");
  await ask("DELETE", `/v1/permission-rules/${rule.id}`);

  await ask("GET", "/v1/pool/status");
  await ask("GET", "/v1/pool/metrics?tag=a");
  await ask("GET", "/v1/events?limit=5");
  await ask("POST", "/v1/pool/scale", { delta: 1 });
  await ask("GET", "/v1/pool/budget");
  await ask("PUT", "/v1/pool/budget", { usd: 50, renews: "day" });
  await ask("POST", "/v1/pool/budget/reset");
  await ask("PUT", "/v1/pool/budget/scopes", { scope: "tag:a", usd: 5 });
  await ask("GET", "/v1/pool/budget/scopes");
  await ask("GET", "/v1/pool/governor");
  await ask("POST", "/v1/pool/governor/release");
  await ask("POST", "/v1/estimate", { prompts: ["work"], slots: 2 });

  const hook = await ask<{ readonly id: string }>("POST", "/v1/webhooks", {
    url: "http://127.0.0.1:1/x",
    allow_private: true,
  });
  await ask("GET", "/v1/webhooks");
  await ask("POST", `/v1/webhooks/${hook.id}/test`);
  await ask("DELETE", `/v1/webhooks/${hook.id}`);
  await ask("POST", "/v1/pool/drain", { grace_ms: 10 });

  // Those that ask a model, or an errored slot, are asked below.
  const elsewhere = ["route", "auto", "restartSlot", "getRequest", "answerRequest"];
  // So do isolated work, which wants a repository, and the log.
  const tested = routes.filter(({ name, tag }) => !elsewhere.includes(name) && tag !== "workspaces" && tag !== "log");
  expect([tested.map(({ name }) => name).filter((name) => !visited.has(name)), server.reports]).toEqual([[], []]);
});

it("answers what the document says of isolated work: its diff, its merge, its directory", async () => {
  const { path: cwd } = repository();
  const pool = { cwd, isolation: "worktree", permissionMode: "acceptEdits", activityLog: false } as const;
  const server = await served({}, pool, writing);
  const { ask, visited } = holding(server);
  interface Merge {
    readonly id: string;
    readonly state: string;
  }
  const idOf = async (body: object): Promise<string> => {
    const { task_id: id } = await ask<Accepted>("POST", "/v1/tasks", body);
    await ask("GET", `/v1/tasks/${id}/wait`);
    return id;
  };

  const first = await idOf({ prompt: "b.txt new", checks: ["test -s b.txt"] });
  const { entries, patch } = await ask<{ readonly entries: readonly unknown[]; readonly patch: string }>(
    "GET",
    `/v1/tasks/${first}/diff?of=saved&patch=false`,
  );
  const preview = await ask<{ readonly conflicts: readonly string[] }>("GET", `/v1/tasks/${first}/merge?into=main`);
  const merge = await ask<Merge>("POST", `/v1/tasks/${first}/merge`, { method: "squash" });
  const waited = await ask<Merge>("GET", `/v1/merges/${merge.id}/wait?timeout_ms=10`);
  await ask("GET", `/v1/merges/${merge.id}`);
  const undone = await ask<{ readonly undone_at_ms: number }>("POST", `/v1/merges/${merge.id}/undo`);
  const second = await idOf({ prompt: "c.txt new", review: true });
  await ask("POST", `/v1/tasks/${second}/reject`, { feedback: "again", start: "base" });
  await ask("GET", `/v1/tasks/${second}/wait`);
  const approved = await ask<Accepted>("POST", `/v1/tasks/${second}/approve`, { merge: "auto", wait_ms: 60_000 });
  const { merges } = await ask<{ readonly merges: readonly Merge[] }>("GET", "/v1/merges?state=merged&state=conflict");
  await ask("GET", `/v1/tasks/${first}/worktree`);
  const restored = join(cwd, "..", "restored");
  await ask("POST", `/v1/tasks/${first}/restore`, { path: restored });
  await ask("GET", "/v1/worktrees");
  await ask("POST", "/v1/worktrees/prune", { dry_run: true });
  const { refs } = await ask<{ readonly refs: readonly unknown[] }>("POST", "/v1/worktrees/prune-refs", {
    dry_run: true,
  });

  expect({
    diff: [entries.length, patch],
    conflicts: preview.conflicts,
    merge: [merge.state, waited.state, typeof undone.undone_at_ms],
    approved: approved.state,
    files: [existsSync(join(cwd, "b.txt")), existsSync(join(cwd, "c.txt")), existsSync(join(restored, "b.txt"))],
    merges: merges.map(({ state }) => state),
    refs: refs.length > 0,
    lacking: routes.filter(({ name, tag }) => tag === "workspaces" && !visited.has(name)).map(({ name }) => name),
    reports: server.reports,
  }).toEqual({
    diff: [1, ""],
    conflicts: [],
    merge: ["merged", "merged", "number"],
    approved: "completed",
    files: [false, true, true],
    merges: ["merged", "merged"],
    refs: true,
    lacking: ["cancelMerge"],
    reports: [],
  });
});

it("takes a merge that waits out of the queue, and answers with what waits where the time is over", async () => {
  const { path: cwd, git } = repository();
  const server = await served(
    {},
    { cwd, isolation: "worktree", permissionMode: "acceptEdits", activityLog: false },
    writing,
  );
  const [armed, pipe] = [join(cwd, "..", "armed"), join(cwd, "..", "pipe")];
  execFileSync("mkfifo", [pipe]);
  const slow = await server.pool.submit("b.txt new", {
    checks: [{ command: `if [ -e ${armed} ]; then cat ${pipe}; fi` }],
  });
  const next = await server.pool.submit("c.txt new");
  await server.pool.wait([slow.id, next.id]);
  writeFileSync(armed, "");
  writeFileSync(join(cwd, "d.txt"), "d\n");
  git("add", "-A");
  git("commit", "-q", "-m", "Another tree");
  const { ask } = holding(server);
  interface Merge {
    readonly id: string;
    readonly state: string;
  }

  const first = await ask<Merge>("POST", `/v1/tasks/${slow.id}/merge`, { wait_ms: 1 });
  const queued = await ask<Merge>("POST", `/v1/tasks/${next.id}/merge`, { wait: false });
  await ask("DELETE", `/v1/merges/${queued.id}`);
  const cancelled = await ask<Merge>("GET", `/v1/merges/${queued.id}`);
  await writeFile(pipe, "go");
  const ended = await ask<Merge>("GET", `/v1/merges/${first.id}/wait`);

  expect([first.state === "merged", queued.state, cancelled.state, ended.state]).toEqual([
    false,
    "queued",
    "cancelled",
    "merged",
  ]);
});

it("answers what the document says of the log", async () => {
  const cwd = mkdtempSync(join(tmpdir(), "claude-pool-rest-log-"));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  const server = await served(
    {},
    { cwd, slots: 0, env: { HOME: cwd, CLAUDE_CONFIG_DIR: "", POOL_HOME: "", POOL_PROJECT: "" } },
  );
  const { ask, visited } = holding(server);

  await ask("POST", "/v1/log", { topic: "Staging is down", action: "blocked", instance: "ci" });
  const first = await ask<{ readonly granted: boolean }>("POST", "/v1/log/claims", {
    affects: ["src/**"],
    instance: "ci",
  });
  const second = await ask<{ readonly granted: boolean }>("POST", "/v1/log/claims", { affects: ["src/a.ts"] });
  const { entries } = await ask<{ readonly entries: readonly { readonly source_instance: string }[] }>(
    "GET",
    "/v1/log?action=blocked&limit=5",
  );
  const { terminals } = await ask<{ readonly terminals: readonly unknown[] }>("GET", "/v1/log/terminals");
  const released = await ask<{ readonly count: number }>("POST", "/v1/log/claims/release", { instance: "ci" });
  const { claims } = await ask<{ readonly claims: readonly unknown[] }>("GET", "/v1/log/claims");

  expect({
    granted: [first.granted, second.granted],
    entries: entries.map((entry) => entry.source_instance),
    terminals: terminals.length,
    released: [released.count, claims.length],
    lacking: routes.filter(({ name, tag }) => tag === "log" && !visited.has(name)),
  }).toEqual({ granted: [true, false], entries: ["ci"], terminals: 1, released: [1, 0], lacking: [] });
});

it("answers what the document says where a model is asked", async () => {
  const server = await served();
  const route = { route: "parallel", prompts: ["left", "right"], reason: "Two halves." };
  server.runner.on("How should this task be divided?", completed("", { structuredOutput: route }));
  server.runner.on("right", failed("error"));
  const { ask, visited } = holding(server);

  await ask("POST", "/v1/route", { prompt: "do both", hints: { max_parallel: 2 } });
  await ask("POST", "/v1/auto", { prompt: "do both", task: { tags: ["auto"] } });
  expect([...visited]).toEqual(["route", "auto"]);
});

it("answers what the document says where a slot is errored", async () => {
  const server = await served({}, { supervisorEnabled: false });
  const { ask, visited } = holding(server);
  server.runner.failOpen(undefined, 100);
  await server.pool.submit("it");
  const { slotId = "" } = (await eventOf(server.pool, "slot.errored")) as { readonly slotId?: string };

  await ask("POST", `/v1/slots/${slotId}/restart`);

  expect([...visited]).toEqual(["restartSlot"]);
});

it("answers what the document says where a running task asks", async () => {
  const server = await served({}, { permissionMode: "default" }, async (_turn, _launch, { desk, signal }) => {
    const decided = await desk?.decide({ tool: "Write", input: { file_path: "/x", content: "x" } }, signal);
    return decided?.decision ?? "nobody asked";
  });
  const { ask, visited } = holding(server);
  const task = await server.pool.submit("write");
  await eventOf(server.pool, "permission.requested");

  const { requests } = await ask<{ readonly requests: readonly { readonly id: string }[] }>("GET", "/v1/requests");
  await ask("GET", `/v1/requests/${requests[0]?.id ?? ""}`);
  await ask("POST", `/v1/requests/${requests[0]?.id ?? ""}/answer`, { decision: "allow", always: "Write(//x)" });

  const { result } = await task.outcome();
  expect([[...visited], result?.output]).toEqual([["listRequests", "getRequest", "answerRequest"], "allow"]);
});

describe("a request", () => {
  it("carries everything that a task can be told, and refuses what it cannot", async () => {
    const { send, pool } = await served({}, { slots: 0 });
    const wire = {
      prompt: "work",
      model: "opus",
      effort: "high",
      tags: ["a"],
      permission_mode: "acceptEdits",
      max_turns: 3,
      allowed_tools: ["Edit"],
      max_budget_usd: 0.5,
      priority: 7,
      timeout_ms: 60_000,
      retries: 2,
      retry_delay_ms: 5,
      review: true,
      max_rejections: 2,
      conversation: "fresh",
      json_schema: { type: "object", properties: { aB: {} } },
      mcp_servers: { one: { command: "x" } },
    };

    const good = await send("POST", "/v1/tasks", wire);
    const bad = await send("POST", "/v1/tasks", { ...wire, modle: "opus" });
    const { config, priority, tags, timeoutMs, reviewRequired, maxRejections, plan } = await pool.get(
      (good.body as Accepted).task_id,
    );

    expect({
      config,
      priority,
      tags,
      timeoutMs,
      reviewRequired,
      maxRejections,
      plan,
      bad: [bad.status, (bad.body as { readonly detail: string }).detail],
    }).toEqual({
      config: {
        model: "opus",
        effort: "high",
        permissionMode: "acceptEdits",
        maxTurns: 3,
        allowedTools: ["Edit"],
        maxBudgetUsd: 0.5,
        jsonSchema: { type: "object", properties: { aB: {} } },
        mcpServers: { one: { command: "x" } },
      },
      priority: 7,
      tags: ["a"],
      timeoutMs: 60_000,
      reviewRequired: true,
      maxRejections: 2,
      plan: { retries: 2, retryDelayMs: 5 },
      bad: [422, 'unknown field "modle". Did you mean "model"?'],
    });
  });

  it("with a body in some coding is told to send it plain", async () => {
    const { send } = await served({}, { slots: 0 });
    const { status, body } = await send("POST", "/v1/tasks", { prompt: "work" }, { "content-encoding": "gzip" });
    const { code, detail } = body as { readonly code: string; readonly detail: string };
    expect([status, code, detail]).toEqual([
      415,
      "not_json",
      'Send the JSON as it is, without Content-Encoding "gzip".',
    ]);
  });

  it("with the key of a fan-out of fewer, more or other prompts is refused, and nothing of it is done", async () => {
    const { pool, send } = await served();
    const fanOut = async (prompts: readonly unknown[]): Promise<unknown> => {
      const { status, body } = await send("POST", "/v1/tasks/fan-out", { prompts }, { "idempotency-key": "k" });
      return [status, (body as { readonly code?: string }).code];
    };
    const long = { "idempotency-key": "k".repeat(600) };
    const tooLong = await send("POST", "/v1/tasks/fan-out", { prompts: ["a"] }, long);
    const twoKeys = await send("POST", "/v1/tasks/fan-out", { prompts: ["a"], key: "l" }, { "idempotency-key": "k" });
    const answers = [];
    for (const prompts of [["a", "b"], ["a"], ["a", "b", "c"], ["a", "c"], ["a", "b"]])
      answers.push(await fanOut(prompts));

    const conflict = [409, "key_conflict"];
    expect([tooLong.status, twoKeys.status, answers, (await pool.list()).tasks.length]).toEqual([
      422,
      422,
      [[200, undefined], conflict, conflict, conflict, [200, undefined]],
      2,
    ]);
  });

  it("with the same idempotency key gives the same work, also of a chain and of a fan-out", async () => {
    const { send, pool } = await served({}, { slots: 0 });
    const twice = async (path: string, body: unknown): Promise<readonly unknown[]> => [
      (await send("POST", path, body, { "idempotency-key": `key of ${path}` })).body,
      (await send("POST", path, body, { "idempotency-key": `key of ${path}` })).body,
    ];

    const answers = [
      await twice("/v1/tasks", { prompt: "work" }),
      await twice("/v1/chains", { steps: [{ name: "x", prompt: "x" }] }),
      await twice("/v1/tasks/fan-out", { prompts: ["a", "b"], wait_ms: 0 }),
    ];
    const other = await send("POST", "/v1/tasks", { prompt: "other" }, { "idempotency-key": "key of /v1/tasks" });

    expect([
      answers.map(([first, second]) => JSON.stringify(first) === JSON.stringify(second)),
      (await pool.list()).tasks.length,
      other.status,
    ]).toEqual([[true, true, true], 5, 409]);
  });

  it("for what the client has already is answered without it", async () => {
    const { get, pool } = await served({}, { slots: 0 });
    const { id } = await pool.submit("work");
    const first = await get(`/v1/tasks/${id}`);
    const etag = first.headers.get("etag") ?? "";

    const same = await get(`/v1/tasks/${id}`, { "if-none-match": `"other", ${etag}` });
    await pool.cancel(id);
    const changed = await get(`/v1/tasks/${id}`, { "if-none-match": etag });

    expect([first.status, same.status, same.body, changed.status]).toEqual([200, 304, "", 200]);
  });

  it("for a list is answered page by page, each task once, with long texts cut between characters", async () => {
    const { get, pool } = await served({}, { slots: 0 });
    const ids = (await pool.submitMany(Array.from({ length: 5 }, () => "😀".repeat(1_000)))).map(({ id }) => id);
    const seen: string[] = [];
    let next: number | undefined;
    let shown = "";

    do {
      const page = (await get(`/v1/tasks?limit=2${next === undefined ? "" : `&after=${String(next)}`}`)).body as {
        readonly tasks: readonly { readonly id: string; readonly prompt: string }[];
        readonly next?: number;
      };
      seen.push(...page.tasks.map(({ id }) => id));
      shown = page.tasks[0]?.prompt ?? shown;
      next = page.next;
    } while (next !== undefined);

    expect([seen, shown]).toEqual([ids.toReversed(), `${"😀".repeat(500)}…`]);
  });

  it.each([
    ["GET", "/v1/tasks/task-000000000000", undefined, 404, "task_not_found"],
    ["GET", "/v1/chains/chain-00000000000", undefined, 404, "task_not_found"],
    ["GET", "/v1/slots/slot-99", undefined, 404, "slot_not_found"],
    ["GET", "/v1/skills/none", undefined, 404, "skill_not_found"],
    ["DELETE", "/v1/webhooks/wh_1", undefined, 404, "webhook_not_found"],
    ["GET", "/v1/context/none", undefined, 404, "context_not_found"],
    ["DELETE", "/v1/context/none", undefined, 404, "context_not_found"],
    ["POST", "/v1/pool/scale", { target: 1_000 }, 422, "scaling_out_of_bounds"],
    ["POST", "/v1/pool/scale", { target: 1, delta: 1 }, 422, "invalid_options"],
    ["POST", "/v1/slots/slot-1/restart", undefined, 409, "slot_state"],
    ["POST", "/v1/tasks", { prompt: "dear", max_budget_usd: 50 }, 402, "task_budget_exceeds_remaining"],
    ["POST", "/v1/tasks", { prompt: "work", cwd: "/nowhere" }, 422, "cwd_not_found"],
    ["POST", "/v1/tasks", "{", 400, "malformed_request"],
    ["POST", "/v1/tasks", `{"prompt": ${"[".repeat(101)}${"]".repeat(101)}}`, 400, "malformed_request"],
    ["POST", "/v1/tasks/fan-out", { prompts: [] }, 422, "invalid_options"],
    ["POST", "/v1/chains", { steps: [] }, 422, "invalid_options"],
    ["GET", "/v1/tasks?sate=failed", undefined, 422, "invalid_options"],
    ["GET", "/v1/pool/status?x=1", undefined, 400, "malformed_request"],
    ["GET", "/v1/tasks?limit=1&limit=2", undefined, 422, "invalid_options"],
  ])("%s %s %j is answered with a problem: %i %s", async (method, path, body, status, code) => {
    const { send, reports } = await served({}, { budgetUsd: 1 });

    const answer = await send(method, path, body);

    expect([answer.status, problemAnswer.parse(answer.body).code, answer.headers.get("content-type"), reports]).toEqual(
      [status, code, "application/problem+json", []],
    );
  });

  it("for scaling says how many slots there were and are", async () => {
    const { send } = await served({}, { slots: 2 });

    const answers = [];
    for (const body of [{ target: 4 }, { delta: -1 }, { target: 3 }]) {
      answers.push((await send("POST", "/v1/pool/scale", body)).body);
    }

    expect(answers).toEqual([
      { previous_slots: 2, current_slots: 4 },
      { previous_slots: 4, current_slots: 3 },
      { previous_slots: 3, current_slots: 3 },
    ]);
  });

  it("for a task in a state in which it cannot happen is a conflict, and a drained pool is one", async () => {
    const { send, pool } = await served();
    const { id } = await pool.submit("work");
    await pool.wait(id);
    const approve = await send("POST", `/v1/tasks/${id}/approve`);
    await pool.drain();

    const submit = await send("POST", "/v1/tasks", { prompt: "late" });

    expect([approve.status, submit.status, problemAnswer.parse(submit.body).code]).toEqual([409, 409, "pool_shutdown"]);
  });

  it("is not lost when the server fails: the answer says nothing of the inside, the report does", async () => {
    const { get, pool, reports } = await served();
    const broken = new Error("secret path /home/me");
    Object.defineProperty(pool, "hosts", { value: () => Promise.reject(broken) });

    const answer = await get("/v1/hosts");

    expect([answer.status, JSON.stringify(answer.body).includes("secret"), reports]).toEqual([500, false, [broken]]);
  });
});
