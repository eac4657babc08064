import { metrics, trace } from "@opentelemetry/api";
import {
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  AggregationTemporality,
} from "@opentelemetry/sdk-metrics";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from "@opentelemetry/sdk-trace-base";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { startTelemetry } from "../../src/telemetry/otel-sdk.ts";
import { completed, failed } from "../../src/testing/outcomes.ts";
import { scriptedPool } from "../engine/scripted-pool.ts";
import { repository, writing } from "../mcp/repository.ts";

/** An SDK that keeps what it is told; gone when the test is over. */
function sdk() {
  const spans = new InMemorySpanExporter();
  const measured = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const meters = new MeterProvider({
    readers: [new PeriodicExportingMetricReader({ exporter: measured, exportIntervalMillis: 3_600_000 })],
  });
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }));
  metrics.setGlobalMeterProvider(meters);
  onTestFinished(async () => {
    trace.disable();
    metrics.disable();
    await meters.shutdown();
  });
  return { spans, meters, measured };
}

const ms = ([seconds, nanos]: readonly [number, number]): number => seconds * 1_000 + nanos / 1_000_000;
const childrenOf = (spans: readonly ReadableSpan[], root: ReadableSpan | undefined): readonly ReadableSpan[] =>
  spans.filter(({ parentSpanContext }) => parentSpanContext?.spanId === root?.spanContext().spanId);

const usage = { inputTokens: 10, outputTokens: 5, cacheReadInputTokens: 100, cacheCreationInputTokens: 1 };

it("is one span for a task, with children for queue, workspace and turn, and nothing of what was said", async () => {
  const { spans } = sdk();
  const { pool, runner } = await scriptedPool();
  runner.on("secret work", completed("secret answer", { model: "claude-x", usage }));

  const task = await pool.submit({ prompt: "secret work", tags: ["a"], model: "opus" });
  await task.outcome();

  const all = spans.getFinishedSpans();
  const [root] = all.filter(({ parentSpanContext }) => parentSpanContext === undefined);
  const children = childrenOf(all, root);
  const turn = children.find(({ name }) => name === "invoke_agent claude-code");
  expect({
    names: children.map(({ name }) => name),
    root: [
      root?.name,
      root?.attributes["claude_pool.task.id"],
      root?.attributes["claude_pool.outcome"],
      root?.attributes["claude_pool.cost_usd"],
    ],
    turn: turn?.attributes,
    order: [...children.map(({ startTime }) => ms(startTime))].every(
      (at, index, times) => index === 0 || at >= (times[index - 1] ?? 0),
    ),
    leaks: JSON.stringify(all.map(({ attributes, name }) => [attributes, name])).includes("secret"),
  }).toEqual({
    names: ["queue", "workspace", "invoke_agent claude-code"],
    root: ["task task", task.id, "completed", 0.001],
    turn: {
      "gen_ai.operation.name": "invoke_agent",
      "gen_ai.provider.name": "anthropic",
      "gen_ai.agent.name": "claude-code",
      "gen_ai.request.model": "opus",
      "gen_ai.response.model": "claude-x",
      "gen_ai.conversation.id": turn?.attributes["gen_ai.conversation.id"],
      "gen_ai.usage.input_tokens": 111,
      "gen_ai.usage.output_tokens": 5,
      "gen_ai.usage.cache_read.input_tokens": 100,
      "gen_ai.usage.cache_creation.input_tokens": 1,
      "claude_pool.turns": 1,
      "claude_pool.outcome": "completed",
    },
    order: true,
    leaks: false,
  });
});

it("shows of an isolated task how long its directory, its process and its checks took", async () => {
  const { spans } = sdk();
  const { path: cwd } = repository();
  const { pool } = await scriptedPool({ cwd, isolation: "worktree", activityLog: false }, writing);
  const task = await pool.submit("b.txt new", { checks: [{ command: "false" }], checkRetries: 0 });
  await task.outcome();

  const all = spans.getFinishedSpans();
  const [root] = all.filter(({ parentSpanContext }) => parentSpanContext === undefined);
  const children = childrenOf(all, root);
  expect([
    children.map(({ name, attributes }) => [name, attributes["error.type"]]),
    root?.attributes["claude_pool.outcome"],
    children.every(
      ({ endTime }, index) => ms(endTime) <= ms((children[index + 1] ?? root ?? children[0])?.endTime ?? [0, 0]),
    ),
  ]).toEqual([
    [
      ["queue", undefined],
      ["workspace", undefined],
      ["process", undefined],
      ["invoke_agent claude-code", undefined],
      ["checks", "checks"],
    ],
    "failed",
    true,
  ]);
});

it("says of a failure what failed, and of a process that did not open that there was no turn", async () => {
  const { spans } = sdk();
  const { pool, runner } = await scriptedPool();
  runner.on("fail", failed("max_turns"));
  await pool.wait((await pool.submit("fail")).id);
  runner.failOpen();
  await pool.wait((await pool.submit({ prompt: "another launch", systemPrompt: "x" })).id);

  const all = spans.getFinishedSpans();
  const roots = all.filter(({ parentSpanContext }) => parentSpanContext === undefined);

  expect(roots.map((root) => [root.attributes["error.type"], root.status.code, childrenOf(all, root).length])).toEqual([
    ["max_turns", 2, 3],
    ["launch", 2, 2],
  ]);
});

it("is a span for each attempt, none of which has the time of the one before", async () => {
  const { spans } = sdk();
  let turns = 0;
  const { pool } = await scriptedPool({}, () => ((turns += 1) === 1 ? failed("error") : completed("mended")));
  const task = await pool.submit({ prompt: "flaky", retries: 1 });
  const { state } = await task.outcome();

  const [first, second] = spans.getFinishedSpans().filter(({ parentSpanContext }) => parentSpanContext === undefined);
  expect([
    state,
    [first, second].map((span) => [span?.attributes["claude_pool.task.id"], span?.attributes["claude_pool.outcome"]]),
    ms(second?.startTime ?? [0, 0]) >= ms(first?.endTime ?? [Infinity, 0]),
  ]).toEqual([
    "completed",
    [
      [task.id, "failed"],
      [task.id, "completed"],
    ],
    true,
  ]);
});

it("counts what runs cost and took, and the tokens, by the conventions' names", async () => {
  const { meters, measured } = sdk();
  const { pool, runner } = await scriptedPool();
  runner.on("work", completed("done", { model: "claude-x", usage, costMicrodollars: 250_000 }));
  await pool.run("work one");
  await pool.run("work two");
  await meters.forceFlush();

  const told =
    measured
      .getMetrics()
      .at(-1)
      ?.scopeMetrics.flatMap((scope) => scope.metrics) ?? [];
  const valuesOf = (name: string): readonly unknown[] =>
    told
      .find(({ descriptor }) => descriptor.name === name)
      ?.dataPoints.map(({ value }) =>
        typeof value === "number"
          ? value
          : [(value as { readonly count: number }).count, (value as { readonly sum: number }).sum],
      ) ?? [];

  expect({
    names: told.map(({ descriptor }) => `${descriptor.name} ${descriptor.unit}`).sort(),
    runs: valuesOf("claude_pool.runs"),
    cost: valuesOf("claude_pool.cost"),
    tokens: valuesOf("gen_ai.client.token.usage"),
  }).toEqual({
    names: [
      "claude_pool.cost {USD}",
      "claude_pool.queue.duration s",
      "claude_pool.runs {run}",
      "gen_ai.client.operation.duration s",
      "gen_ai.client.token.usage {token}",
    ],
    runs: [2],
    cost: [0.5],
    tokens: [
      [2, 222],
      [2, 10],
    ],
  });
});

it("gives its context to a process that serves one run alone, and to no other", async () => {
  const { spans } = sdk();
  const alone = await scriptedPool({ slotMode: "ephemeral" });
  const warm = await scriptedPool();
  await alone.pool.run("alone");
  await warm.pool.run("warm");

  const [root] = spans.getFinishedSpans().filter(({ parentSpanContext }) => parentSpanContext === undefined);
  const { traceId = "", spanId = "" } = root?.spanContext() ?? {};
  expect([alone, warm].map(({ runner }) => runner.turns[0]?.launch.env.TRACEPARENT)).toEqual([
    `00-${traceId}-${spanId}-01`,
    undefined,
  ]);
});

it("is sent to the endpoint that the environment names, as `serve` and `mcp` do, and what is left at the end", async () => {
  const got: string[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (part: string) => (body += part));
    request.on("end", () => {
      got.push(`${request.url ?? ""} ${body}`);
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const endpoint = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`;

  const end = await startTelemetry({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
  const { pool } = await scriptedPool();
  await pool.run("work");
  await pool.close();
  await end?.();

  const [traces, measured] = ["/v1/traces ", "/v1/metrics "].map(
    (path) => got.find((one) => one.startsWith(path)) ?? "",
  );
  expect([
    traces?.includes("invoke_agent claude-code"),
    traces?.includes('"claude-pool"'),
    measured?.includes("claude_pool.runs"),
  ]).toEqual([true, true, true]);
});

it("is nothing where the environment names no endpoint", async () => {
  expect(await startTelemetry({})).toBeUndefined();
});
