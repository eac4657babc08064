import { randomUUID } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  apiError,
  cutStream,
  garbage,
  gate,
  startScriptedApi,
  structured,
  text,
  toolUse,
  toolUses,
  usageLimit,
  withLimits,
} from "../../src/testing/index.ts";
import { askClaude, claudeMessages, temporaryFolder } from "./real-claude.ts";

test("the real CLI takes a scripted text for the model's answer, and its usage for the cost", async () => {
  await using home = await temporaryFolder();
  await using api = await startScriptedApi({ usage: { inputTokens: 1_000, outputTokens: 200 } });
  api.on("say hello", text("hello there", { chunks: 3 }));

  const result = await askClaude(api, home.path, "say hello");

  // 1,000 tokens in at $3 a million and 200 out at $15 a million.
  expect({ result: result.result, cost: result.total_cost_usd, turns: result.num_turns }).toEqual({
    result: "hello there",
    cost: 0.006,
    turns: 1,
  });
});

test("a scripted tool use makes the real CLI write the file, and its result is answered by the rule of the prompt", async () => {
  await using home = await temporaryFolder();
  await using api = await startScriptedApi();
  const path = join(home.path, "out.txt");
  api.on("write the file", toolUse("Write", { file_path: path, content: "really" }), text("written"));

  const result = await askClaude(api, home.path, "write the file", { args: ["--permission-mode", "acceptEdits"] });

  expect({
    result: result.result,
    file: await readFile(path, "utf8"),
    prompts: api.requests.filter((request) => request.path === "/v1/messages").map((request) => request.prompt),
    toolResults: api.requests.at(-1)?.toolResults.map(({ isError }) => isError),
  }).toEqual({
    result: "written",
    file: "really",
    prompts: ["write the file", "write the file"],
    toolResults: [false],
  });
});

test("several tools of one answer run, and reading before editing changes a file", async () => {
  await using home = await temporaryFolder();
  await using api = await startScriptedApi();
  const [first, second] = [join(home.path, "a.txt"), join(home.path, "b.txt")];
  await writeFile(first, "old");
  api.on(
    "edit",
    toolUses([
      { name: "Read", input: { file_path: first } },
      { name: "Write", input: { file_path: second, content: "second" } },
    ]),
    toolUse("Edit", { file_path: first, old_string: "old", new_string: "new" }, { text: "Now the edit." }),
    text("edited"),
  );

  const result = await askClaude(api, home.path, "edit", { args: ["--permission-mode", "acceptEdits"] });

  expect([result.result, await readFile(first, "utf8"), await readFile(second, "utf8")]).toEqual([
    "edited",
    "new",
    "second",
  ]);
});

test("a structured reply is the output of a task with a JSON schema", async () => {
  await using home = await temporaryFolder();
  await using api = await startScriptedApi();
  api.on("how many", structured({ count: 3 }));
  const schema = { type: "object", properties: { count: { type: "number" } }, required: ["count"] };

  const result = await askClaude(api, home.path, "how many", { args: ["--json-schema", JSON.stringify(schema)] });

  expect(result.structured_output).toEqual({ count: 3 });
});

test("an answer in text where a schema is asked for meets the same rule again when the CLI insists", async () => {
  await using home = await temporaryFolder();
  await using api = await startScriptedApi();
  api.on("how many", text("three, I think"), structured({ count: 3 }));
  const schema = { type: "object", properties: { count: { type: "number" } }, required: ["count"] };

  const result = await askClaude(api, home.path, "how many", { args: ["--json-schema", JSON.stringify(schema)] });

  expect(result.structured_output).toEqual({ count: 3 });
});

test("an error, a cut stream and garbage are retried, and each try takes the next reply", async () => {
  await using home = await temporaryFolder();
  await using api = await startScriptedApi();
  api
    .on("overloaded", apiError(529), text("after 529"))
    .on("cut", cutStream(), text("after the cut"))
    .on("garbled", garbage());

  const results = await Promise.all(
    ["overloaded", "cut", "garbled"].map((prompt) => askClaude(api, home.path, prompt)),
  );

  expect(results.map((result) => [result.is_error, result.terminal_reason])).toEqual([
    [false, "completed"],
    [false, "completed"],
    [true, "api_error"],
  ]);
});

test("a terminal error of the API reaches the result with its status", async () => {
  await using home = await temporaryFolder();
  await using api = await startScriptedApi();
  for (const status of [401, 403, 404, 500]) api.on(`status ${String(status)}`, apiError(status));

  const results = await Promise.all(
    [401, 403, 404, 500].map((status) => askClaude(api, home.path, `status ${String(status)}`)),
  );

  expect(results.map((result) => [result.is_error, result.api_error_status])).toEqual([
    [true, 401],
    [true, 403],
    [true, 404],
    [true, 500],
  ]);
});

test("with a subscription a usage limit ends the turn at once and names the time it resets", async () => {
  await using home = await temporaryFolder();
  await using api = await startScriptedApi();
  const resetsAtMs = Date.UTC(2100, 0, 1);
  api.on("anything", usageLimit({ resetsAtMs }));

  const messages = await claudeMessages(api, home.path, "anything", { auth: "subscription" });

  const limit = { status: "rejected", resetsAt: resetsAtMs / 1000, rateLimitType: "five_hour" };
  expect({
    limit: messages.find(({ type }) => type === "rate_limit_event")?.rate_limit_info,
    status: messages.at(-1)?.api_error_status,
    requests: api.requests.filter(({ path }) => path === "/v1/messages").length,
  }).toMatchObject({
    limit,
    status: 429,
    requests: 1,
  });
});

test("with a subscription a success can carry the warning that a limit is near", async () => {
  await using home = await temporaryFolder();
  await using api = await startScriptedApi();
  const resetsAtMs = Date.UTC(2100, 0, 1);
  api.on("anything", withLimits(text("fine"), { status: "allowed_warning", utilization: 0.92, resetsAtMs }));

  const messages = await claudeMessages(api, home.path, "anything", { auth: "subscription" });

  expect([
    messages.find(({ type }) => type === "rate_limit_event")?.rate_limit_info,
    messages.at(-1)?.result,
  ]).toMatchObject([{ status: "allowed_warning", utilization: 0.92 }, "fine"]);
});

test("a gate holds the real CLI's turn until the test releases it", async () => {
  await using home = await temporaryFolder();
  await using api = await startScriptedApi();
  const held = gate(text("let through"));
  api.on("wait for me", held);

  const asked = askClaude(api, home.path, "wait for me");
  const reached = await held.reached;
  held.release();

  expect([reached.prompt, (await asked).result]).toEqual(["wait for me", "let through"]);
});

test("a prompt that follows a limited one in the same conversation is answered by its own rule", async () => {
  await using home = await temporaryFolder();
  await using api = await startScriptedApi();
  api.on("limited", usageLimit({ resetsAtMs: Date.UTC(2100, 0, 1) })).on("go on", text("gone on"));
  const conversation = randomUUID();

  await askClaude(api, home.path, "limited", { auth: "subscription", args: ["--session-id", conversation] });
  const result = await askClaude(api, home.path, "go on", { auth: "subscription", args: ["--resume", conversation] });

  expect([result.session_id, result.result]).toEqual([conversation, "gone on"]);
});

test("two real conversations with one prompt at once each get the whole script", async () => {
  await using home = await temporaryFolder();
  await using api = await startScriptedApi();
  const reading = toolUse("Read", { file_path: join(home.path, "a.txt") });
  await writeFile(join(home.path, "a.txt"), "content");
  const held = gate(reading);
  api.on("read slowly", held, text("read"));

  const asked = [askClaude(api, home.path, "read slowly"), askClaude(api, home.path, "read slowly")];
  await held.reached;
  held.release();
  const results = await Promise.all(asked);

  expect(results.map(({ result, num_turns }) => [result, num_turns])).toEqual([
    ["read", 2],
    ["read", 2],
  ]);
});

test("the usage of a reply takes a run over its cap", async () => {
  await using home = await temporaryFolder();
  await using api = await startScriptedApi();
  api.on("expensive", text("dear", { usage: { outputTokens: 10_000 } }));

  const result = await askClaude(api, home.path, "expensive", { args: ["--max-budget-usd", "0.05"] });

  // 100 tokens in at $3 a million and 10,000 out at $15 a million.
  expect([result.subtype, result.total_cost_usd]).toEqual(["error_max_budget_usd", expect.closeTo(0.1503)]);
});
