/** The trace that a request belongs to: the spans of its tasks join it, whoever runs them. */
import { trace } from "@opentelemetry/api";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { expect, it, onTestFinished } from "vitest";
import { completed, failed } from "../../src/testing/outcomes.ts";
import { connected, newest } from "../mcp/rig.ts";
import { served } from "../server/serving.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const spanId = "00f067aa0ba902b7";
const traceparent = `00-${traceId}-${spanId}-01`;
const caller = { traceparent, tracestate: "vendor=1" };

/** Which caller each span of a run has, in the order of their ends; each test has an SDK of its own. */
function callers() {
  const exporter = new InMemorySpanExporter();
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
  onTestFinished(() => trace.disable());
  return () =>
    exporter
      .getFinishedSpans()
      .filter(({ name }) => name.startsWith("task "))
      .map((span) => {
        const { traceId: own, traceState } = span.spanContext();
        const from = span.parentSpanContext?.spanId;
        return own === traceId && from === spanId ? `caller ${traceState?.serialize() ?? ""}`.trim() : "nobody";
      });
}

interface Accepted {
  readonly task_id: string;
}

it("is that of an HTTP request for its task, each attempt of it, and nobody else's", async () => {
  const seen = callers();
  let turns = 0;
  const { pool, send } = await served({}, {}, () => ((turns += 1) === 1 ? failed("error") : completed("mended")));
  const body = { prompt: "work", retries: 1 };
  const { task_id: id } = (await send("POST", "/v1/tasks", body, caller)).body as Accepted;
  await pool.task(id).outcome();
  await pool.run("another's work");
  expect([seen(), (await pool.get(id)).trace]).toEqual([["caller vendor=1", "caller vendor=1", "nobody"], caller]);
});

it("is that of the request for every step of a chain, also those that begin long after it", async () => {
  const seen = callers();
  const { pool, send } = await served();
  const steps = [
    { name: "one", prompt: "first" },
    { name: "two", prompt: "then {previous_output}" },
  ];
  const { task_id: id } = (await send("POST", "/v1/chains", { steps }, { traceparent })).body as Accepted;
  await pool.task(id).outcome();
  expect(seen()).toEqual(["caller", "caller"]);
});

it("is none where what came is none: the task is done all the same", async () => {
  const seen = callers();
  const { pool, send } = await served();
  const { status, body } = await send("POST", "/v1/tasks", { prompt: "work" }, { traceparent: `00-${traceId}-0-01` });
  const { task_id: id } = body as Accepted;
  await pool.task(id).outcome();
  expect([status, seen(), (await pool.get(id)).trace]).toEqual([202, ["nobody"], undefined]);
});

it.each([
  ["stdio", "2025-11-25"],
  ["stdio", newest],
  ["http", "2025-11-25"],
  ["http", newest],
] as const)("is that of an MCP call's `_meta` over %s in revision %s", async (transport, revision) => {
  const seen = callers();
  const { client, pool } = await connected({ transport, revision });
  await client.callTool({ name: "pool_run", arguments: { prompt: "mine" }, _meta: caller });
  await client.callTool({ name: "pool_fan_out", arguments: { prompts: ["ours"] }, _meta: { traceparent: 7 } });
  const { tasks } = await pool.list();
  expect([seen(), tasks.map((task) => task.trace)]).toEqual([
    ["caller vendor=1", "nobody"],
    [undefined, caller],
  ]);
});

it("is that of its own task for what a worker submits, whichever request its process was opened in", async () => {
  const { pool, send } = await served({}, { workerTools: true }, async ({ prompt }, _launch, { desk, signal }) => {
    if (prompt.startsWith("part")) return "done";
    await desk?.useTool("submit_task", { prompt: `part of ${prompt}` }, signal);
    return "done";
  });
  const ask = async (prompt: string, headers: Readonly<Record<string, string>>): Promise<void> => {
    const { body } = await send("POST", "/v1/tasks", { prompt, may_dispatch: true }, headers);
    await pool.task((body as Accepted).task_id).outcome();
  };
  await ask("mine", caller);
  await ask("nobody's", {});
  const { tasks } = await pool.list({ order: "oldest" });
  expect(tasks.map(({ prompt, trace: own }) => [prompt, own])).toEqual([
    ["mine", caller],
    ["part of mine", caller],
    ["nobody's", undefined],
    ["part of nobody's", undefined],
  ]);
});

it("is kept by an export, for who runs the task elsewhere", async () => {
  const here = await served({}, { slots: 0 });
  await here.send("POST", "/v1/tasks", { prompt: "work" }, caller);
  const there = await served({}, { slots: 0 });
  await there.pool.import(here.pool.export());
  const { tasks } = await there.pool.list();
  expect(tasks.map((task) => task.trace)).toEqual([caller]);
});
