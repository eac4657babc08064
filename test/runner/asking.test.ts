/** A process whose host is asked: decisions on tool calls, and the pool's own tools. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { AskedTool, ToolDecision, TurnDesk, WorkerTool } from "../../src/core/runner-port.ts";
import { text, toolUse } from "../../src/testing/index.ts";
import { ending, startRig, turnSpec, type Rig } from "./rig.ts";

/** A desk that answers every question so, and notes what it was asked. */
function desk(answer: (asked: AskedTool, signal: AbortSignal) => Promise<ToolDecision>): {
  readonly desk: TurnDesk;
  readonly asked: readonly AskedTool[];
} {
  const asked: AskedTool[] = [];
  return {
    asked,
    desk: {
      decide: (call, signal) => {
        asked.push(call);
        return answer(call, signal);
      },
      useTool: (name) => Promise.resolve({ text: `${name} was used`, isError: false }),
    },
  };
}

const allow = (): Promise<ToolDecision> => Promise.resolve({ decision: "allow" });

/** A desk that does not answer before its signal fires; `waiting` resolves when it is asked. */
function deaf(): ReturnType<typeof desk> & { readonly waiting: Promise<AbortSignal> } {
  const { promise: waiting, resolve } = Promise.withResolvers<AbortSignal>();
  const made = desk((_, signal) => {
    resolve(signal);
    return new Promise((settle) => {
      signal.addEventListener("abort", () => settle({ decision: "deny", message: "over", isAnswered: false }));
    });
  });
  return { ...made, waiting };
}

function never(): AbortSignal {
  return new AbortController().signal;
}

function toolsOf(rig: Rig, prompt: string): readonly string[] {
  const request = rig.api.requests.find((one) => one.prompt.includes(prompt));
  return (request?.body as { tools: readonly { readonly name: string }[] }).tools.map(({ name }) => name);
}

const note: WorkerTool = {
  name: "note",
  description: "Notes.",
  inputSchema: { type: "object", properties: { text: { type: "string" } } },
  readOnly: false,
};

describe("a process that asks its host", () => {
  it("offers the model the same tools as one that does not", async () => {
    await using rig = await startRig();
    const [asks, plain] = [await rig.open({ asksPermission: true }), await rig.open()];
    await asks.turn(turnSpec("asking"), never(), () => undefined, desk(allow).desk);
    await plain.turn(turnSpec("plain"), never(), () => undefined);
    expect(toolsOf(rig, "asking")).toEqual(toolsOf(rig, "plain"));
  });

  it("asks in mode default with the whole input, and asks the desk of the turn that runs", async () => {
    await using rig = await startRig();
    const slot = await rig.open({ asksPermission: true });
    const content = "x".repeat(50_000);
    rig.api.on("first", toolUse("Write", { file_path: join(rig.cwd, "a"), content }), text("one"));
    rig.api.on("second", toolUse("Write", { file_path: join(rig.cwd, "b"), content: "b" }), text("two"));
    const [first, second] = [desk(allow), desk(allow)];
    await slot.turn(turnSpec("first"), never(), () => undefined, first.desk);
    await slot.clear();
    await slot.turn(turnSpec("second"), never(), () => undefined, second.desk);
    expect([first.asked.map(({ input }) => input), second.asked.map(({ input }) => input)]).toEqual([
      [{ file_path: join(rig.cwd, "a"), content }],
      [{ file_path: join(rig.cwd, "b"), content: "b" }],
    ]);
  });

  it("denies where no desk is there", async () => {
    await using rig = await startRig();
    const slot = await rig.open({ asksPermission: true });
    rig.api.on("first", toolUse("Write", { file_path: join(rig.cwd, "a"), content: "a" }), text("no"));
    const outcome = await slot.turn(turnSpec("first"), never(), () => undefined);
    expect(ending(outcome)).toEqual({ kind: "failed", reason: "permission" });
  });

  it("ends at once when it is cancelled while it waits, tells the desk, and serves on", async () => {
    await using rig = await startRig();
    const slot = await rig.open({ asksPermission: true });
    rig.api.on("first", toolUse("Write", { file_path: join(rig.cwd, "a"), content: "a" }), text("no"));
    const { desk: waits, waiting } = deaf();
    const controller = new AbortController();
    const turn = slot.turn(turnSpec("first"), controller.signal, () => undefined, waits);
    const signal = await waiting;
    controller.abort("cancel");
    const outcome = await turn;
    const cleared = await slot.clear();
    const next = await slot.turn(turnSpec("next"), never(), () => undefined);
    expect([ending(outcome), signal.aborted, cleared, ending(next)]).toEqual([
      { kind: "cancelled", reason: "cancelled" },
      true,
      true,
      { kind: "completed", reason: undefined },
    ]);
  });

  it("tells the desk when it dies while it waits", async () => {
    await using rig = await startRig();
    const slot = await rig.open({ asksPermission: true });
    rig.api.on("first", toolUse("Write", { file_path: join(rig.cwd, "a"), content: "a" }), text("no"));
    const { desk: waits, waiting } = deaf();
    const turn = slot.turn(turnSpec("first"), never(), () => undefined, waits);
    const signal = await waiting;
    process.kill(slot.identity.pid, "SIGKILL");
    expect([ending(await turn), signal.aborted]).toEqual([{ kind: "lost", reason: "lost" }, true]);
  });

  it("serves the pool's own tools, which the model sees without looking for them", async () => {
    await using rig = await startRig();
    const slot = await rig.open({ workerTools: [note] });
    rig.api.on("first", toolUse("mcp__pool__note", { text: "x" }), text("one"));
    const allowed = { allowedTools: ["mcp__pool"] };
    const outcome = await slot.turn(turnSpec("first", allowed), never(), () => undefined, desk(allow).desk);
    const [, second] = rig.api.requests.filter((request) => request.prompt.includes("first"));
    expect([ending(outcome), toolsOf(rig, "first").includes("mcp__pool__note"), JSON.stringify(second?.body)]).toEqual([
      { kind: "completed", reason: undefined },
      true,
      expect.stringContaining("note was used"),
    ]);
  });
});
