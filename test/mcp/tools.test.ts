/** Every tool, by the official client, on every revision; each answer fits its schema strictly. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { published } from "../../src/mcp/published.ts";
import { toolsOf } from "../../src/mcp/tools.ts";
import { completed } from "../../src/testing/outcomes.ts";
import { connected, ways, type Connected, type Fields } from "./rig.ts";

const spec = new URL("tool-names.txt", import.meta.url);

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "claude-pool-mcp-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Calls a tool and holds its answer to its schema; every tool that was called is noted. */
function strictly(here: Connected, called: Set<string>): (tool: string, given?: Fields) => Promise<Fields> {
  return async (tool, given) => {
    called.add(tool);
    const answer = await here.call(tool, given);
    toolsOf("full").get(tool)?.output.parse(answer);
    return answer;
  };
}

describe.each(ways)("over %s on revision %s", (transport, revision) => {
  test("every tool answers, and each answer has the shape that it says", async () => {
    const cwd = folder();
    const here = await connected({
      revision,
      transport,
      pool: {
        slots: [{ name: "Ada" }, { pull: true }],
        cwd,
        homes: { pool: join(cwd, "home"), claude: join(cwd, "home") },
      },
    });
    here.runner.on(
      "How should",
      completed("", { structuredOutput: { route: "parallel", prompts: ["a", "b"], reason: "" } }),
    );
    const called = new Set<string>();
    const call = strictly(here, called);

    const ran = await call("pool_run", { prompt: "one", tags: ["x"], effort: "min" });
    const submitted = await call("pool_submit", { prompt: "two" });
    const waited = await call("pool_wait", { task_ids: [submitted.task_id, ran.task_id], mode: "all" });
    const result = await call("pool_result", { task_id: submitted.task_id, from: 1 });
    const fannedOut = await call("pool_fan_out", { prompts: ["a", "b", "c"] });
    const listed = await call("pool_list_tasks", { state: "completed", limit: 2 });
    const cancelled = await call("pool_cancel", { task_id: ran.task_id });

    const reviewed = await call("pool_submit_with_review", { prompt: "three", max_rejections: 2 });
    await call("pool_wait", { task_ids: [reviewed.task_id] });
    const rejected = await call("pool_reject_result", { task_id: reviewed.task_id, feedback: "again" });
    await call("pool_wait", { task_ids: [reviewed.task_id] });
    const approved = await call("pool_approve_result", { task_id: reviewed.task_id });

    const steps = [
      { name: "plan", prompt: "p" },
      { name: "build", type: "prompt", value: "do {previous_output}" },
    ];
    const chain = await call("pool_chain", { steps });
    const submittedChain = await call("pool_submit_chain", { steps });
    const chains = await call("pool_fan_out_chains", { chains: [steps, steps], tags: ["c"] });
    await call("pool_wait", { task_ids: [submittedChain.task_id, ...(chains.task_ids as string[])] });
    const progress = await call("pool_chain_result", { task_id: submittedChain.task_id });
    const cancelledChain = await call("pool_cancel_chain", { task_id: submittedChain.task_id });
    const workflow = await call("pool_invoke_workflow", {
      workflow: "review_and_fix",
      arguments: { review_target: "a" },
    });
    await call("pool_wait", { task_ids: [workflow.task_id] });

    const routed = await call("pool_route", { prompt: "both" });
    await call("pool_route_with_hints", { prompt: "both", max_parallel: 2, prefer: "prefer_parallel" });
    const auto = await call("pool_auto", { prompt: "both" });
    await call("pool_auto_with_hints", { prompt: "both", domain: "tests", tags: ["y"] });

    const status = await call("pool_status");
    const metrics = await call("pool_session_metrics", { tag: "x" });
    const found = await call("pool_find_slots", { name: "Ada" });
    const configured = await call("pool_configure_slot", { slot_id: "slot-1", role: "reviewer" });
    const claimed = await call("pool_claim", { slot_id: "slot-2" });
    await call("pool_scale_up", { count: 1 });
    await call("pool_scale_down", { count: 1 });
    const scaled = await call("pool_set_target_slots", { target: 3 });

    for (const [set, get, list, remove] of [
      ["pool_set_context", "pool_get_context", "pool_list_context", "pool_delete_context"],
      ["context_set", "context_get", "context_list", "context_delete"],
    ] as const) {
      await call(set, { key: "k", value: "v" });
      expect([await call(get, { key: "k" }), await call(list), await call(remove, { key: "k" })]).toEqual([
        { key: "k", value: "v" },
        { context: { k: "v" } },
        { key: "k", deleted: true },
      ]);
    }
    await call("pool_send_message", { to: "coordinator", from: "slot-1", content: "hello" });
    await call("pool_broadcast", { content: "all" });
    const peeked = await call("pool_peek_messages", {});
    const read = await call("pool_read_messages", { slot_id: "coordinator" });

    const added = await call("pool_skill_add", {
      name: "greet",
      description: "d",
      prompt: "Hello {who}",
      arguments: [{ name: "who", required: true }],
    });
    const skillRun = await call("pool_skill_run", { skill: "greet", arguments: { who: "Ada" } });
    const skills = await call("pool_skill_list", { source: "runtime" });
    const skill = await call("pool_skill_get", { name: "greet" });
    const saved = await call("pool_skill_save", { name: "greet" });
    const removed = await call("pool_skill_remove", { name: "greet" });
    const ejected = await call("pool_skill_eject", { name: "summarize" });
    const drained = await call("pool_drain", { grace_ms: 1_000 });

    const lacking = [...toolsOf("full").keys()].filter(
      (name) => !called.has(name) && !answeredElsewhere.includes(name),
    );
    expect({
      ran: [ran.state, ran.output, ran.success],
      waited: [(waited.done as Fields[]).map((one) => one.task_id), waited.pending, waited.timed_out],
      result: [result.task_id, result.output],
      fannedOut: [(fannedOut.results as Fields[]).map((one) => [one.state, one.output]), fannedOut.pending],
      listed: [(listed.tasks as Fields[]).length, typeof listed.next],
      cancelled: cancelled.state,
      reviews: [reviewed.review_required, rejected.state, rejected.rejection_count, approved.state],
      chain: [chain.state, chain.success, chain.final_output, (chain.completed_steps as Fields[]).length],
      chains: [(chains.chains as Fields[]).length, progress.state, progress.success, cancelledChain.state],
      workflow: workflow.workflow,
      routed: [routed.route, routed.prompts],
      auto: [
        auto.route,
        auto.success,
        (auto.task_ids as string[]).length,
        (auto.results as Fields[]).map((one) => one.state),
      ],
      status: [status.total_slots, (status.slots as Fields[]).map((slot) => slot.id), status.permission_mode],
      metrics: metrics.completed_tasks,
      slots: [found.count, configured.role, claimed.claimed, scaled.new_slot_count],
      messages: [peeked.count, read.count, (read.messages as Fields[])[0]?.content],
      skills: [
        added.overwritten,
        skillRun.output,
        skills.count,
        skill.customised,
        saved.format,
        removed.removed,
        ejected.ejected,
      ],
      prompts: here.runner.turns.map((turn) => turn.spec.prompt).filter((prompt) => prompt.startsWith("Hello")),
      drained: typeof drained.total_tasks_completed,
      lacking,
    }).toEqual({
      ran: ["completed", "ok", true],
      waited: [[submitted.task_id, ran.task_id], [], false],
      result: [submitted.task_id, "k"],
      fannedOut: [Array.from({ length: 3 }, () => ["completed", "ok"]), []],
      listed: [2, "number"],
      cancelled: "completed",
      reviews: [true, "pending", 1, "completed"],
      chain: ["completed", true, "ok", 2],
      chains: [2, "completed", true, "completed"],
      workflow: "review_and_fix",
      routed: ["parallel", ["a", "b"]],
      auto: ["parallel", true, 2, ["completed", "completed"]],
      status: [2, ["slot-1", "slot-2"], "plan"],
      metrics: 1,
      slots: [1, "reviewer", false, 3],
      messages: [1, 1, "hello"],
      skills: [false, "ok", 1, true, "SKILL.md", false, true],
      prompts: ["Hello Ada"],
      drained: "number",
      lacking: [],
    });
  });
});

/** They want a slot that asks, a repository or a log, which the tests beside their families have. */
const answeredElsewhere = [
  "pool_requests",
  "pool_answer",
  ...["pool_diff", "pool_merge", "pool_merges", "pool_worktrees"],
  ...["post", "list", "claim", "release", "who"].map((verb) => `pool_log_${verb}`),
];

test("has every tool of the original by its name, and the new ones", () => {
  const names = readFileSync(spec, "utf8").trim().split("\n");
  expect(names.filter((name) => !toolsOf("full").has(name))).toEqual([]);
});

test("the plugin's skills name tools that there are", () => {
  const skills = new URL("../../plugin/skills/", import.meta.url);
  const named = readdirSync(skills).flatMap((name) => {
    const text = readFileSync(new URL(`${name}/SKILL.md`, skills), "utf8");
    return [...text.matchAll(/`(pool_\w+)`/g)].map(([, tool]) => tool ?? "");
  });
  expect([named.length > 5, named.filter((name) => !toolsOf("full").has(name))]).toEqual([true, []]);
});

test("lists the core profile in under 4,000 tokens, counted at no more than three characters and a quarter to one", async () => {
  const { client } = await connected({ profile: "core" });
  const { tools } = await client.listTools();
  const tokens = JSON.stringify(tools).length / 3.25;
  expect([tools.length <= 15, tokens < 4_000]).toEqual([true, true]);
});

test("says of every tool whether it only reads, or may destroy", async () => {
  const { client } = await connected();
  const { tools } = await client.listTools();
  const hints = (name: string): unknown => tools.find((tool) => tool.name === name)?.annotations;
  expect([
    tools.every(({ annotations, outputSchema }) => annotations !== undefined && outputSchema?.type === "object"),
    hints("pool_status"),
    hints("pool_cancel"),
    hints("pool_run"),
  ]).toEqual([
    true,
    { readOnlyHint: true },
    { destructiveHint: true, idempotentHint: true },
    { destructiveHint: true, openWorldHint: true },
  ]);
});

test("tells who asks for a tool of the other profile where it is, and for none at all which was meant", async () => {
  const { client } = await connected({ profile: "core" });
  const asked = (name: string): Promise<unknown> =>
    client.callTool({ name, arguments: {} }).catch((error: unknown) => String(error));
  expect([await asked("pool_drain"), await asked("pool_stats")]).toEqual([
    expect.stringContaining("--profile full"),
    expect.stringContaining("Did you mean pool_status?"),
  ]);
});

test("publishes input that a worker's coordinator can read: names of the wire, and what is required", () => {
  const tool = toolsOf("full").get("pool_reject_result");
  expect(tool === undefined ? undefined : published(tool).inputSchema).toEqual({
    type: "object",
    properties: {
      task_id: { type: "string" },
      feedback: { type: "string" },
      start: { type: "string", enum: ["base", "saved"] },
    },
    required: ["task_id", "feedback"],
    additionalProperties: false,
  });
});
