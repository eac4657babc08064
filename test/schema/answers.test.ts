/** Real records of a pool, through the one function that maps them, fit the schemas strictly. */
import { expect, test } from "vitest";
import { z } from "zod";
import { toWire } from "../../src/core/wire.ts";
import { chainProgressAnswer, chainResultAnswer } from "../../src/schema/answers-chain.ts";
import { errorAnswer, errorAnswerOf } from "../../src/schema/answers-error.ts";
import {
  budgetAnswer,
  contextAnswer,
  drainAnswer,
  eventAnswer,
  governorAnswer,
  hostAnswer,
  messageAnswer,
  metricsAnswer,
  scopeBudgetAnswer,
  skillAnswer,
  skillEntryAnswer,
  slotAnswer,
  statusAnswer,
  workflowEntryAnswer,
} from "../../src/schema/answers-pool.ts";
import {
  autoAnswer,
  autoAnswerOf,
  routeAnswer,
  settledAnswer,
  settledAnswerOf,
  settledChainAnswer,
} from "../../src/schema/answers-settled.ts";
import {
  runRecordAnswer,
  taskOutcomeAnswer,
  taskPageAnswer,
  taskRecordAnswer,
  waitAnswer,
} from "../../src/schema/answers-task.ts";
import { completed, failed } from "../../src/testing/outcomes.ts";
import { scriptedPool } from "../engine/scripted-pool.ts";

/** What does not fit, in words; nothing: all of it fits, and the schema can be published. */
function misfits(schema: z.ZodType, ...values: readonly unknown[]): readonly string[] {
  z.toJSONSchema(schema, { io: "output" });
  return values.flatMap((value) => {
    const answer = schema.safeParse(value);
    return answer.success ? [] : answer.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  });
}

const usage = { inputTokens: 1, outputTokens: 2, cacheReadInputTokens: 3, cacheCreationInputTokens: 4 };

test("every record of a pool at work fits its schema, and none has a field that the schema lacks", async () => {
  const { pool, runner } = await scriptedPool({
    slots: [{ name: "Ada", role: "reviewer", effort: "low", allowedTools: ["Read"] }, {}],
    budgetUsd: 5,
  });
  const denials = [{ toolName: "Bash", toolUseId: "t", toolInput: { anyKey: 1 } }];
  runner
    .on("full", completed("x", { usage, model: "opus", modelUsage: { "claude-opus": { costUSD: 1 } }, sessionId: "s" }))
    .on("broken", failed("permission", { permissionDenials: denials, exitCode: 1, stderr: "no", permissionMode: "plan" }))
    .on("shaped", completed("{}", { structuredOutput: { aB: [1, null] } }))
    .on("How should", completed("", { structuredOutput: { route: "parallel", prompts: ["full", "broken"], reason: "" } }));

  const settled = await pool.fanOut([
    { prompt: "full", tags: ["a"], effort: "max", jsonSchema: { type: "object" }, maxBudgetUsd: 1, key: "k" },
    { prompt: "broken", retries: 1, timeoutMs: 60_000, conversation: "continue" },
    { prompt: "shaped", mcpServers: { one: { command: "x" } }, conversation: "fresh" },
  ]);
  const reviewed = await pool.submitWithReview("look at this", { maxRejections: 2, afterRejection: "continue" });
  await reviewed.outcome();
  await pool.reject(reviewed.id, "again");
  await reviewed.outcome();
  const steps = [
    { name: "one", prompt: "shaped", outputVars: { all: "aB" } },
    { name: "two", prompt: "skip me", when: { variable: "steps.one.all", equals: "no" } },
    { name: "three", prompt: "broken", retries: 1, recoveryPrompt: "mend {error}" },
  ];
  const chains = await pool.fanOutChains([steps, [{ name: "only", prompt: "broken" }]], { maxBudgetUsd: 2 });
  await pool.setContext("oddKey", "value");
  await pool.sendMessage({ to: "slot-1", content: "hello" });
  await pool.budget.setScope({ tag: "a" }, 3);
  const skill = await pool.skills.add({
    name: "greet",
    description: "says hello",
    prompt: "Hello {who}",
    arguments: [{ name: "who", description: "whom", required: true }],
    config: { model: "haiku", effort: "high" },
    frontMatter: { licence: "MIT" },
  });
  const routed = await pool.route("divide this");
  const auto = await pool.auto("divide this");
  const single = await pool.auto("full", { hints: { prefer: "prefer_single" } }).catch((error: unknown) => error);
  const { tasks } = await pool.list({ limit: 100 });
  const runs = (await Promise.all(tasks.map((task) => pool.runs(task.id)))).flat();
  const events = await Array.fromAsync(pool.events({ after: 0, follow: false }));
  const progress = await Promise.all(tasks.filter((task) => task.kind === "chain").map((t) => pool.chainProgress(t.id)));
  const status = await pool.status();
  const results = chains.flatMap((chain) => (chain.status === "fulfilled" ? [chain.result] : []));

  expect({
    tasks: misfits(taskRecordAnswer, ...tasks.map(toWire)),
    page: misfits(taskPageAnswer, toWire(await pool.list({ limit: 2 }))),
    runs: misfits(runRecordAnswer, ...runs.map(toWire)),
    outcomes: misfits(taskOutcomeAnswer, ...(await Promise.all(tasks.map((t) => pool.result(t.id)))).map(toWire)),
    wait: misfits(waitAnswer, toWire(await pool.wait(reviewed.id))),
    settled: misfits(settledAnswer, ...settled.map(settledAnswerOf)),
    settledChains: misfits(settledChainAnswer, ...chains.map(settledAnswerOf)),
    progress: misfits(chainProgressAnswer, ...progress.map(toWire)),
    results: misfits(chainResultAnswer, ...results.map(toWire)),
    routed: misfits(routeAnswer, toWire(routed)),
    auto: misfits(autoAnswer, autoAnswerOf(auto)),
    slots: misfits(slotAnswer, ...(await pool.findSlots()).map(toWire)),
    hosts: misfits(hostAnswer, ...(await pool.hosts()).map(toWire)),
    status: misfits(statusAnswer, toWire(status)),
    budget: misfits(budgetAnswer, toWire(await pool.budget.show())),
    scopes: misfits(scopeBudgetAnswer, ...(await pool.budget.scopes()).map(toWire)),
    governor: misfits(governorAnswer, toWire(await pool.governor.show())),
    metrics: misfits(metricsAnswer, toWire(await pool.sessionMetrics())),
    messages: misfits(messageAnswer, ...(await pool.peekMessages("slot-1")).map(toWire)),
    context: misfits(contextAnswer, await pool.listContext()),
    skill: misfits(skillAnswer, toWire(skill)),
    skills: misfits(skillEntryAnswer, ...(await pool.skills.list()).map(toWire)),
    workflows: misfits(workflowEntryAnswer, ...(await pool.workflows.list()).map(toWire)),
    events: misfits(eventAnswer, ...events.map(toWire)),
    error: misfits(errorAnswer, errorAnswerOf(single), errorAnswerOf(new TypeError("a bug"))),
    drained: misfits(drainAnswer, toWire(await pool.drain())),
    seen: [tasks.length > 12, runs.length > 10, events.length > 40, results.length, progress.length],
  }).toEqual({
    ...Object.fromEntries(
      [
        ...["tasks", "page", "runs", "outcomes", "wait", "settled", "settledChains", "progress", "results", "routed"],
        ...["auto", "slots", "hosts", "status", "budget", "scopes", "governor", "metrics", "messages", "context"],
        ...["skill", "skills", "workflows", "events", "error", "drained"],
      ].map((name) => [name, []]),
    ),
    seen: [true, true, true, 1, 2],
  });
});
