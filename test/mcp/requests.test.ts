/** Requests of workers as a coordinator over MCP sees and answers them. */
import { expect, test } from "vitest";
import type { AskedTool } from "../../src/core/runner-port.ts";
import { toolsOf } from "../../src/mcp/tools.ts";
import { eventOf } from "../engine/scripted-pool.ts";
import { connected, newest, revisions, type Connected, type Fields } from "./rig.ts";

const write: AskedTool = { tool: "Write", input: { file_path: "src/a.ts", content: "x" } };

/** A pool whose every task asks to write, and says what was decided. */
function asking(revision = newest, profile: "core" | "full" = "core"): Promise<Connected> {
  return connected({
    revision,
    profile,
    pool: { permissionMode: "default", cwd: "/tmp" },
    script: async (_, __, { desk, signal }) => JSON.stringify(await desk?.decide(write, signal)),
  });
}

/** Calls a tool and holds its answer to its schema. */
async function strictly(here: Connected, tool: string, given: Fields = {}): Promise<Fields> {
  const answer = await here.call(tool, given);
  toolsOf("full").get(tool)?.output.parse(answer);
  return answer;
}

test.each(revisions)(
  "a waiting call ends when its task asks; the answer is given, and a rule is kept (%s)",
  async (revision) => {
    const here = await asking(revision);
    const ran = await strictly(here, "pool_run", { prompt: "write it" });
    const listed = await strictly(here, "pool_requests", { task_id: ran.task_id });
    const [request] = listed.requests as readonly Fields[];
    const answered = await strictly(here, "pool_answer", {
      request_id: request?.id,
      decision: "allow",
      always: "Edit(src/**)",
    });
    const waited = await strictly(here, "pool_wait", { task_ids: [ran.task_id] });
    const again = await strictly(here, "pool_run", { prompt: "write it again" });
    const [rule] = answered.rules as readonly Fields[];
    const revoked = await strictly(here, "pool_answer", { revoke_rule: rule?.id });
    const status = await strictly(here, "pool_status");
    expect({
      ran: [ran.state, String(ran.next_step)],
      request: [request?.kind, request?.tool, request?.tool_input, request?.state],
      answered: [(answered.request as Fields).state, rule?.rule, rule?.decision],
      outputs: [(waited.done as readonly Fields[])[0]?.output, again.output],
      revoked: [(revoked.revoked as readonly Fields[]).length, revoked.rules],
      open: status.open_requests,
    }).toEqual({
      ran: ["running", `It waits for your permission: pool_requests with task_id ${String(ran.task_id)}.`],
      request: ["permission", "Write", write.input, "open"],
      answered: ["allowed", "Edit(src/**)", "allow"],
      outputs: ['{"decision":"allow"}', '{"decision":"allow"}'],
      revoked: [1, []],
      open: 0,
    });
  },
);

test("a chain waits with its step, and a denial's message reaches the worker", async () => {
  const here = await asking(newest, "full");
  const chain = await strictly(here, "pool_chain", { steps: [{ name: "build", prompt: "write it" }] });
  const listed = await strictly(here, "pool_requests", { task_id: chain.task_id });
  const [request] = listed.requests as readonly Fields[];
  const waiting = await strictly(here, "pool_wait", { task_ids: [chain.task_id] });
  await strictly(here, "pool_answer", { request_id: request?.id, decision: "deny", message: "not today" });
  await here.pool.task(String(chain.task_id)).outcome();
  const over = await strictly(here, "pool_chain_result", { task_id: chain.task_id });
  expect({
    chain: chain.next_step,
    listed: listed.count,
    waiting: String(waiting.next_step).startsWith("1 go on: 1 wait for your answer: pool_requests"),
    output: String(over.final_output).includes("not today"),
  }).toEqual({
    chain: `A step waits for your answer: pool_requests with task_id ${String(chain.task_id)}.`,
    listed: 1,
    waiting: true,
    output: true,
  });
});

test("what of a request was too long for the answer is whole in its resource, so that nobody allows what was cut", async () => {
  const content = "rm -rf everything; ".repeat(420);
  const here = await connected({
    profile: "core",
    pool: { permissionMode: "default", cwd: "/tmp", slots: 4 },
    script: async (_, __, { desk, signal }) =>
      JSON.stringify(await desk?.decide({ tool: "Write", input: { file_path: "a", content } }, signal)),
  });
  const tasks = await here.pool.submitMany(["one", "two", "three", "four"]);
  for (const { id } of tasks) await eventOf(here.pool, "permission.requested", id);
  const listed = await strictly(here, "pool_requests");
  const cuts = listed.cut as readonly { readonly uri: string }[];
  const [uri = ""] = cuts.map((cut) => cut.uri);
  const { contents } = await here.client.readResource({ uri });
  const [first] = contents as readonly { readonly text: string }[];
  const whole = JSON.parse(first?.text ?? "") as { readonly tool_input: Fields };
  expect([cuts.length, new Set(cuts.map((cut) => cut.uri)).size, whole.tool_input.content]).toEqual([4, 4, content]);
});

test("refuses what is no answer, and changes nothing by it", async () => {
  const here = await asking();
  await here.call("pool_run", { prompt: "write it" });
  const listed = await here.call("pool_requests");
  const id = (listed.requests as readonly Fields[])[0]?.id;
  const refusals = [
    {},
    { request_id: id },
    { request_id: id, decision: "allow", answer: "yes" },
    { request_id: id, answer: "yes" },
    { request_id: id, decision: "maybe" },
    { request_id: id, decision: "allow", always: "Bash(rm:*)" },
    { request_id: id, decision: "allow", revoke_rule: "x" },
    { request_id: "req-0000000000", decision: "allow" },
    { revoke_rule: "Bash" },
    { request_id: id, decison: "allow" },
  ];
  const codes = [];
  for (const given of refusals) codes.push((await here.refusal("pool_answer", given)).code);
  expect([codes, (await here.call("pool_requests")).count]).toEqual([
    [
      "invalid_options",
      "invalid_options",
      "invalid_options",
      "invalid_options",
      "invalid_options",
      "invalid_options",
      "invalid_options",
      "request_not_found",
      "rule_not_found",
      "invalid_options",
    ],
    1,
  ]);
});
