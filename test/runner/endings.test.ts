import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  apiError,
  cutStream,
  garbage,
  gate,
  stall,
  structured,
  text,
  toolUse,
  toolUses,
  usageLimit,
  withLimits,
} from "../../src/testing/index.ts";
import { ending, run, startRig } from "./rig.ts";

const dear = { usage: { outputTokens: 50_000 } }; // at $20 a million: one dollar

describe("a turn's ending", () => {
  it("is told by what the API answered, and the process serves on after each", async () => {
    await using rig = await startRig({ env: { CLAUDE_CODE_MAX_RETRIES: "0" } });
    rig.api
      .on("unauthorized", apiError(401))
      .on("too many", apiError(429))
      .on("overloaded", apiError(529))
      .on("no such model", apiError(404))
      .on("too long", apiError(400, { message: "prompt is too long: 300000 tokens > 200000 maximum" }))
      .on("garbage", garbage())
      .on(
        (request) => JSON.stringify(request.body).includes("refuse this"),
        text("I will not.", { stopReason: "refusal" }),
      )
      .on("cut", cutStream(), text("whole"));
    const slot = await rig.open({ env: { CLAUDE_CODE_MAX_RETRIES: "0" } });
    const endings: Record<string, unknown> = {};
    for (const prompt of [
      "unauthorized",
      "too many",
      "overloaded",
      "no such model",
      "too long",
      "garbage",
      "refuse this",
      "cut",
      "good",
    ]) {
      const { outcome } = await run(slot, prompt);
      endings[prompt] = [outcome.kind, outcome.result.reason, await slot.clear()];
      if (prompt === "unauthorized") expect(outcome.result.error).toMatch(/401.*log in/is);
    }
    expect(endings).toEqual({
      unauthorized: ["failed", "api", true],
      "too many": ["failed", "api", true],
      overloaded: ["failed", "api", true],
      "no such model": ["failed", "api", true],
      "too long": ["failed", "prompt_too_long", true],
      garbage: ["failed", "api", true],
      "refuse this": ["failed", "refused", true],
      cut: ["completed", undefined, true],
      good: ["completed", undefined, true],
    });
  });

  it("is decided by the task's own limits, also on a warm process", async () => {
    await using rig = await startRig();
    rig.api
      .on("loop", toolUse("Bash", { command: "echo again" }))
      .on("spend", toolUse("Bash", { command: "tail -f /dev/null" }, { text: "Half of it.", ...dear }))
      .on("last words", text("All of it.", dear));
    const slot = await rig.open();
    const loop = await run(slot, "loop", { allowedTools: ["Bash"], maxTurns: 3 });
    const again = await run(slot, "loop", { allowedTools: ["Bash"], maxTurns: 2 });
    const calls = rig.api.requests.filter((request) => request.path === "/v1/messages").length;
    const spend = await run(slot, "spend", { allowedTools: ["Bash"], maxCostMicrodollars: 500_000 });
    const last = await run(slot, "last words", { maxCostMicrodollars: 500_000 });
    const enough = await run(slot, "last words", { maxCostMicrodollars: 2_000_000 });
    expect(calls).toBe(5); // no call beyond the limit, which would be paid for
    expect(
      [loop, again, spend, last, enough].map(({ outcome }) => ({
        ...ending(outcome),
        turns: outcome.result.turnsUsed,
        over: outcome.result.budgetExceeded,
        output: outcome.result.output,
        dollars: Math.round(outcome.result.costMicrodollars / 1_000_000),
      })),
    ).toEqual([
      { kind: "failed", reason: "max_turns", turns: 3, over: undefined, output: "", dollars: 0 },
      { kind: "failed", reason: "max_turns", turns: 2, over: undefined, output: "", dollars: 0 },
      { kind: "failed", reason: "budget", turns: 1, over: true, output: "Half of it.", dollars: 1 },
      { kind: "failed", reason: "budget", turns: 1, over: true, output: "All of it.", dollars: 1 },
      { kind: "completed", reason: undefined, turns: 1, over: undefined, output: "All of it.", dollars: 1 },
    ]);
  });

  it("is decided by what its subagents spend, too", async () => {
    await using rig = await startRig();
    rig.api
      .on(
        "delegate",
        toolUse("Agent", { description: "d", prompt: "dig deep", subagent_type: "general-purpose" }),
        text("ok"),
      )
      .on("dig deep", toolUse("Bash", { command: "echo dig" }, dear));
    const slot = await rig.open();
    const { outcome, events } = await run(slot, "delegate", {
      allowedTools: ["Agent", "Bash"],
      maxCostMicrodollars: 1_500_000,
    });
    expect({
      ending: ending(outcome),
      turns: outcome.result.turnsUsed,
      dollars: Math.round(outcome.result.costMicrodollars / 1_000_000),
      // How much of the subagent's first call is in the first reading is a matter of who is faster.
      stoppedAt: events
        .filter((event) => event.type === "cost")
        .map((event) => Math.round(event.costMicrodollars / 1_000_000))
        .at(-1),
    }).toEqual({ ending: { kind: "failed", reason: "budget" }, turns: 1, dollars: 2, stoppedAt: 2 });
  });

  it("names the denied tool and what would allow it, and lists every denial", async () => {
    await using rig = await startRig();
    const write = { file_path: join(rig.cwd, "x.txt"), content: "x" };
    rig.api
      .on("write", toolUse("Write", write), text("I may not."))
      .on("both", toolUse("Write", write), toolUse("Bash", { command: "echo hi" }), text("done"))
      .on(
        "at once",
        toolUses([
          { name: "Bash", input: { command: "echo hi" } },
          { name: "Write", input: write },
        ]),
        text("done"),
      );
    const slot = await rig.open();
    const plan = await run(slot, "write", { permissionMode: "plan" });
    const dontAsk = await run(slot, "write", { permissionMode: "dontAsk" });
    const forbidden = await run(slot, "write", { permissionMode: "acceptEdits", disallowedTools: ["Write"] });
    const recovered = await run(slot, "both", { allowedTools: ["Bash"] });
    const atOnce = await run(slot, "at once", { allowedTools: ["Bash"] });
    const allowed = await run(slot, "write", { permissionMode: "acceptEdits" });
    expect(
      [plan, dontAsk, forbidden, recovered, atOnce, allowed].map(({ outcome }) => ({
        ...ending(outcome),
        mode: outcome.result.permissionMode,
        denied: outcome.result.permissionDenials?.map((denial) => denial.toolName),
        remedy: /acceptEdits|disallowed_tools/.exec(outcome.result.error ?? "")?.[0],
      })),
    ).toEqual([
      { kind: "failed", reason: "permission", mode: "plan", denied: ["Write"], remedy: "acceptEdits" },
      { kind: "failed", reason: "permission", mode: "dontAsk", denied: ["Write"], remedy: "acceptEdits" },
      { kind: "failed", reason: "permission", mode: "acceptEdits", denied: ["Write"], remedy: "disallowed_tools" },
      { kind: "completed", mode: "default", denied: ["Write"] },
      { kind: "failed", reason: "permission", mode: "default", denied: ["Write"], remedy: "acceptEdits" },
      { kind: "completed", mode: "acceptEdits" },
    ]);
  });

  it("is a failure when the schema that was asked for is not filled", async () => {
    await using rig = await startRig();
    rig.api.on("fits", structured({ size: 3 })).on("misfit", text("three"));
    const slot = await rig.open({
      jsonSchema: { type: "object", properties: { size: { type: "number" } }, required: ["size"] },
    });
    const fits = await run(slot, "fits", { maxTurns: 1 });
    const cleared = await slot.clear();
    const misfit = await run(slot, "misfit");
    expect({
      fits: [ending(fits.outcome), fits.outcome.result.structuredOutput, fits.outcome.result.output],
      cleared,
      misfit: ending(misfit.outcome),
    }).toEqual({
      fits: [{ kind: "completed" }, { size: 3 }, '{"size":3}'],
      cleared: true,
      misfit: { kind: "failed", reason: "schema" },
    });
  });

  it("tells a subscription's limit with the time it lifts", async () => {
    await using rig = await startRig({ auth: "subscription" });
    const resetsAtMs = Math.ceil(Date.now() / 1000) * 1000 + 3_600_000;
    rig.api
      .on("warned", withLimits(text("ok"), { status: "allowed_warning", utilization: 0.9, resetsAtMs }))
      .on("limited", usageLimit({ resetsAtMs, type: "five_hour" }));
    const slot = await rig.open();
    const warned = await run(slot, "warned");
    const limited = await run(slot, "limited");
    expect({
      warned: [ending(warned.outcome), warned.events.find((event) => event.type === "usage_limit")],
      limited: { ...limited.outcome, result: ending(limited.outcome) },
      cost: limited.outcome.result.costMicrodollars,
      events: limited.events.filter((event) => event.type === "usage_limit").map((event) => event.status),
    }).toEqual({
      warned: [
        { kind: "completed" },
        { type: "usage_limit", status: "allowed_warning", utilization: 0.9, resetsAtMs, limitType: "five_hour" },
      ],
      limited: { kind: "limited", result: { kind: "limited", reason: "limited" }, resetsAtMs, limitType: "five_hour" },
      cost: 0,
      events: ["rejected"],
    });
  });

  it("is a timeout when nothing comes any more, but not while a tool runs or the CLI retries", async () => {
    await using rig = await startRig();
    rig.api
      .on("stall", stall({ afterText: "It begins" }))
      .on("long tool", toolUse("Bash", { command: "timeout 1 tail -f /dev/null; echo ok" }), text("done"))
      .on("retry", apiError(529), text("done"));
    const slot = await rig.open();
    const stalled = await run(slot, "stall", { silenceTimeoutMs: 400 });
    const tool = await run(slot, "long tool", { allowedTools: ["Bash"], silenceTimeoutMs: 700 });
    const retry = await run(slot, "retry", { silenceTimeoutMs: 5_000 });
    expect({
      stalled: [ending(stalled.outcome), stalled.outcome.result.output],
      tool: ending(tool.outcome),
      retry: [ending(retry.outcome), retry.events.find((event) => event.type === "api_retry")],
    }).toEqual({
      stalled: [{ kind: "timed_out", reason: "silent" }, "It begins"],
      tool: { kind: "completed" },
      retry: [{ kind: "completed" }, { type: "api_retry", attempt: 1, status: 529 }],
    });
  });

  it("is a mismatch when the process is not what the task asked for", async () => {
    await using rig = await startRig();
    const slot = await rig.open();
    const bypass = await run(slot, "hello", { permissionMode: "bypassPermissions" });
    const unknown = gate();
    rig.api.on("hello", unknown);
    const able = await rig.open({ allowBypassPermissions: true });
    const allowed = run(able, "hello", { permissionMode: "bypassPermissions" });
    await unknown.reached;
    unknown.release();
    expect({ bypass: ending(bypass.outcome), allowed: ending((await allowed).outcome) }).toEqual({
      bypass: { kind: "failed", reason: "mismatch" },
      allowed: { kind: "completed" },
    });
  });
});
