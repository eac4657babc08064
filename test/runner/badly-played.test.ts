import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { begin, countMarked, ending, run, startRig } from "./rig.ts";

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/bin/${name}`, import.meta.url));

describe("a CLI that behaves badly", () => {
  it("of version 2.1.197 is served right, though it names no prompt and adds its cost up for ever", async () => {
    await using rig = await startRig({ executable: fixture("old-cli") });
    const slot = await rig.open();
    const first = await run(slot, "costs 0.25");
    const cleared = await slot.clear();
    const second = await run(slot, "costs 0.10", { maxCostMicrodollars: 150_000 });
    const slow = begin(slot, "slow");
    await slow.heard("conversation");
    slow.end("cancel");
    const stopped = await slow.ran;
    const third = await run(slot, "costs 0.05");
    expect({
      version: slot.cliVersion,
      cleared,
      endings: [first, second, stopped, third].map(({ outcome }) => ending(outcome)),
      costs: [first, second, third].map(({ outcome }) => outcome.result.costMicrodollars),
      estimated: [first, second, third].map(({ outcome }) => outcome.result.costEstimated),
    }).toEqual({
      version: "2.1.197",
      cleared: true,
      endings: [
        { kind: "completed" },
        { kind: "completed" },
        { kind: "cancelled", reason: "cancelled" },
        { kind: "completed" },
      ],
      costs: [250_000, 100_000, 50_000],
      estimated: [undefined, undefined, undefined],
    });
  });

  it("by dying is lost, with its exit code, its last words and what it had said", async () => {
    await using rig = await startRig({ executable: fixture("crash-in-turn") });
    const slot = await rig.open();
    const { outcome } = await run(slot, "hello");
    await slot.gone;
    expect({
      ending: ending(outcome),
      exitCode: outcome.result.exitCode,
      stderr: outcome.result.stderr,
      command: outcome.result.failedCommand,
      output: outcome.result.output,
      costIsKnownToBeUnknown: outcome.result.costEstimated === true && outcome.result.costMicrodollars > 0,
    }).toEqual({
      ending: { kind: "lost", reason: "lost" },
      exitCode: 1,
      stderr: "claude: out of memory (played by crash-in-turn)",
      command: fixture("crash-in-turn"),
      output: "I was just about to",
      costIsKnownToBeUnknown: true,
    });
  });

  it("by ending without a result is lost", async () => {
    await using rig = await startRig({ executable: fixture("no-result") });
    const { outcome } = await run(await rig.open(), "hello");
    expect(ending(outcome)).toEqual({ kind: "lost", reason: "lost" });
  });

  it("by dying before it opens, or by never answering, is broken, with its last words", async () => {
    await using crash = await startRig({ executable: fixture("crash-on-open") });
    await expect(crash.open()).rejects.toMatchObject({
      code: "claude_broken",
      message: expect.stringContaining("the settings cannot be read") as string,
    });
    await using mute = await startRig({ executable: "/bin/cat", openTimeoutMs: 200 });
    await expect(mute.open()).rejects.toMatchObject({ code: "claude_broken" });
  });

  it("by going silent, deaf to every interrupt, is killed after the grace", async () => {
    await using rig = await startRig({ executable: fixture("hang-in-turn"), killGraceMs: 300 });
    const slot = await rig.open();
    const { outcome } = await run(slot, "hello", { silenceTimeoutMs: 200 });
    await slot.gone;
    expect([ending(outcome), await slot.clear(), await countMarked(slot.identity.marker)]).toEqual([
      { kind: "timed_out", reason: "silent" },
      false,
      0,
    ]);
  });

  it("by ignoring interrupts, signals and the end of its input is killed after the grace", async () => {
    await using rig = await startRig({ executable: fixture("deaf-to-term"), killGraceMs: 300 });
    const slot = await rig.open();
    const turn = begin(slot, "hello");
    await turn.heard("conversation");
    turn.end("cancel");
    const { outcome } = await turn.ran;
    await slot.gone;
    expect([ending(outcome), await slot.clear(), await countMarked(slot.identity.marker)]).toEqual([
      { kind: "cancelled", reason: "cancelled" },
      false,
      0,
    ]);
  });

  it("by talking nonsense or too much still gives its answer", async () => {
    await using garbage = await startRig({ executable: fixture("garbage-on-stdout") });
    await using flood = await startRig({ executable: fixture("flood"), env: { FIXTURE_FLOOD_MB: "5" } });
    const nonsense = await run(await garbage.open(), "hello");
    const much = await run(await flood.open(), "hello");
    expect([ending(nonsense.outcome), ending(much.outcome), much.outcome.result.output.length > 1_000_000]).toEqual([
      { kind: "completed" },
      { kind: "completed" },
      true,
    ]);
  });

  it.each(["auto", "off"] as const)("leaves no grandchild behind (process namespace: %s)", async (processNamespace) => {
    await using rig = await startRig({ executable: fixture("grandchild"), processNamespace });
    const slot = await rig.open();
    const { outcome } = await run(slot, "hello");
    await slot.close();
    expect([ending(outcome), await countMarked(slot.identity.marker)]).toEqual([{ kind: "completed" }, 0]);
  });

  it("with a usage limit is told as limited", async () => {
    await using rig = await startRig({ executable: fixture("rate-limited") });
    const { outcome } = await run(await rig.open(), "hello");
    expect({ kind: outcome.kind, resetsAtMs: outcome.kind === "limited" ? outcome.resetsAtMs : 0 }).toEqual({
      kind: "limited",
      resetsAtMs: Date.UTC(2100, 0, 1),
    });
  });
});
