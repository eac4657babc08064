import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { failed } from "../../src/testing/outcomes.ts";
import { served } from "./serving.ts";

/** The samples of one metric, labels and all. */
function samples(text: string, name: string): readonly string[] {
  return text.split("\n").filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
}

async function metricsOfWork(): Promise<string> {
  const { pool, runner, get } = await served({}, { budgetUsd: 10, slots: 2 });
  runner.on("fail", failed("error", { model: "claude-x", costMicrodollars: 500_000 }));
  await pool.fanOut(["one", "two", "fail"]);
  await pool.submitWithReview("look").then((task) => task.outcome());
  await get("/v1/tasks/task-000000000000");
  return (await get("/metrics")).body as string;
}

it("says what the pool counts, in base units, under names that stay the same", async () => {
  const text = await metricsOfWork();

  expect(
    [
      "claude_pool_tasks",
      "claude_pool_tasks_ended_total",
      "claude_pool_slots",
      "claude_pool_budget_usd",
      "claude_pool_spend_usd_total",
      "claude_pool_model_cost_usd_total",
      "claude_pool_http_requests_total",
    ].flatMap((name) => samples(text, name)),
  ).toEqual([
    'claude_pool_tasks{state="pending"} 0',
    'claude_pool_tasks{state="running"} 0',
    'claude_pool_tasks{state="pending_review"} 1',
    'claude_pool_tasks{state="completed"} 2',
    'claude_pool_tasks{state="failed"} 1',
    'claude_pool_tasks{state="cancelled"} 0',
    'claude_pool_tasks_ended_total{outcome="completed"} 2',
    'claude_pool_tasks_ended_total{outcome="failed"} 1',
    'claude_pool_tasks_ended_total{outcome="cancelled"} 0',
    'claude_pool_slots{state="idle"} 2',
    'claude_pool_slots{state="busy"} 0',
    'claude_pool_slots{state="errored"} 0',
    "claude_pool_budget_usd 10",
    "claude_pool_spend_usd_total 0.503",
    'claude_pool_model_cost_usd_total{model="claude-x"} 0.5',
    'claude_pool_http_requests_total{route="/v1/tasks/:id",method="GET",status="404"} 1',
  ]);
});

it("counts who was refused at the door, whatever was asked for", async () => {
  const { get, http } = await served({ tokens: ["a-token-of-twenty-two-characters"] });
  await get("/v1/tasks");
  await get("/v1/tasks/one");
  await get("/v1/tasks/two", { origin: "http://evil.example" });

  const answer = await fetch(`${http.url}/metrics`, {
    headers: { authorization: "Bearer a-token-of-twenty-two-characters" },
  });

  expect(samples(await answer.text(), "claude_pool_http_requests_total")).toEqual([
    'claude_pool_http_requests_total{route="/v1/tasks",method="GET",status="401"} 1',
    'claude_pool_http_requests_total{route="/v1/tasks/:id",method="GET",status="401"} 1',
    'claude_pool_http_requests_total{route="/v1/tasks/:id",method="GET",status="403"} 1',
  ]);
});

it("stays the same where nothing happens, asked twice", async () => {
  const { get } = await served();
  const pool = (text: unknown): readonly string[] =>
    String(text)
      .split("\n")
      .filter((line) => !line.includes("claude_pool_http"));

  const [first, second] = [(await get("/metrics")).body, (await get("/metrics")).body];

  expect(pool(second)).toEqual(pool(first));
});

const hasPromtool = spawnSync("promtool", ["--version"]).status === 0;

it("passes Prometheus' own check of names, units and help", async ({ skip }) => {
  skip(!hasPromtool, "promtool is not installed here (Debian package `prometheus`); .ci/run installs it.");
  const text = await metricsOfWork();

  const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], { input: text, encoding: "utf8" });

  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "", stderr: "" });
});
