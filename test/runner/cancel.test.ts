import { describe, expect, it } from "vitest";
import { gate, stall, text, toolUse } from "../../src/testing/index.ts";
import { begin, countMarked, countRunning, ending, run, startRig } from "./rig.ts";

const tag = (): string => `claude-pool-test-${crypto.randomUUID()}`;

describe.each(["auto", "off"] as const)("ending what a task started (process namespace: %s)", (processNamespace) => {
  it("leaves nothing of it alive, whatever it did to get away", async () => {
    await using rig = await startRig({ processNamespace });
    const file = await rig.write("log.txt", "");
    const [left, escaped, deaf, running] = [tag(), tag(), tag(), tag()];
    const daemon = (name: string): string => `exec -a ${name} tail -f ${file}`;
    const escape = processNamespace === "off" ? "setsid" : "setsid env -i";
    rig.api
      .on(
        "leave",
        toolUse("Bash", {
          command: `bash -c '${daemon(left)}' >/dev/null 2>&1 & (${escape} bash -c '${daemon(escaped)}' >/dev/null 2>&1 &); echo ok`,
        }),
        text("done"),
      )
      .on(
        "hang",
        toolUse("Bash", {
          command: `(setsid bash -c 'trap "" TERM INT HUP; ${daemon(deaf)}' >/dev/null 2>&1 &); bash -c '${daemon(running)}'`,
        }),
      );
    const slot = await rig.open();
    const leave = await run(slot, "leave", { allowedTools: ["Bash"] });
    const afterLeave = [await countRunning(left), await countRunning(escaped)];
    const hang = begin(slot, "hang", { allowedTools: ["Bash"] });
    await expect.poll(() => countRunning(deaf)).toBeGreaterThan(0);
    await expect.poll(() => countRunning(running)).toBeGreaterThan(0);
    hang.end("cancel");
    const hung = await hang.ran;
    const afterHang = [await countRunning(deaf), await countRunning(running)];
    const cleared = await slot.clear();
    const next = await run(slot, "next");
    await slot.close();
    expect({
      leave: ending(leave.outcome),
      afterLeave,
      hung: ending(hung.outcome),
      afterHang,
      cleared,
      next: ending(next.outcome),
      left: await countMarked(slot.identity.marker),
    }).toEqual({
      leave: { kind: "completed" },
      afterLeave: [0, 0],
      hung: { kind: "cancelled", reason: "cancelled" },
      afterHang: [0, 0],
      cleared: true,
      next: { kind: "completed" },
      left: 0,
    });
  });

  it("tells a killed process as lost, with what it knew, and leaves none of its tools", async () => {
    await using rig = await startRig({ processNamespace });
    const file = await rig.write("log.txt", "");
    const name = tag();
    rig.api.on(
      "work",
      toolUse(
        "Bash",
        { command: `(setsid bash -c 'exec -a ${name} tail -f ${file}' &) ; tail -f ${file}` },
        { text: "I begin." },
      ),
    );
    const slot = await rig.open();
    const work = begin(slot, "work", { allowedTools: ["Bash"] });
    await expect.poll(() => countRunning(name)).toBeGreaterThan(0);
    process.kill(slot.identity.pid, "SIGKILL");
    const { outcome } = await work.ran;
    await slot.gone;
    expect({
      ending: ending(outcome),
      output: outcome.result.output,
      cost: outcome.result.costMicrodollars > 0,
      estimated: outcome.result.costEstimated,
      tools: await countRunning(name),
      left: await countMarked(slot.identity.marker),
      cleared: await slot.clear(),
    }).toEqual({
      ending: { kind: "lost", reason: "lost" },
      output: "I begin.",
      cost: true,
      estimated: true,
      tools: 0,
      left: 0,
      cleared: false,
    });
  });
});

describe("an early end", () => {
  it("is obeyed at every point of a turn, and the first cause wins", async () => {
    await using rig = await startRig();
    const beforeHeaders = gate();
    rig.api
      .on("before headers", beforeHeaders)
      .on("in the text", stall({ afterText: "Half an ans" }))
      .on("quick", text("quick"));
    const slot = await rig.open();

    const aborted = begin(slot, "never sent");
    aborted.end("timeout");
    const never = await aborted.ran;

    const waiting = begin(slot, "before headers");
    await beforeHeaders.reached;
    waiting.end("shutdown");
    waiting.end("cancel");
    const waited = await waiting.ran;

    const streaming = begin(slot, "in the text");
    await streaming.heard("text");
    streaming.end("budget");
    const streamed = await streaming.ran;

    const starting = begin(slot, "quick");
    await starting.heard("conversation");
    starting.end("cancel");
    const started = await starting.ran;

    const after = await run(slot, "quick");
    expect({
      never: ending(never.outcome),
      waited: ending(waited.outcome),
      streamed: [ending(streamed.outcome), streamed.outcome.result.output, streamed.outcome.result.budgetExceeded],
      started: ending(started.outcome),
      after: ending(after.outcome),
    }).toEqual({
      never: { kind: "timed_out", reason: "timed_out" },
      waited: { kind: "cancelled", reason: "shutdown" },
      streamed: [{ kind: "failed", reason: "budget" }, "Half an ans", true],
      started: { kind: "cancelled", reason: "cancelled" },
      after: { kind: "completed" },
    });
  });

  it("loses no turn and no result over many races with a quick answer", async () => {
    await using rig = await startRig();
    const slot = await rig.open();
    const kinds = new Set<string>();
    for (let round = 0; round < 30; round += 1) {
      const turn = begin(slot, `round ${String(round)}`);
      for (let tick = 0; tick < round; tick += 1) await new Promise(setImmediate);
      turn.end("cancel");
      const { outcome } = await turn.ran;
      kinds.add(outcome.kind);
      const next = await run(slot, `after ${String(round)}`);
      expect(next.outcome.result).toMatchObject({ success: true, output: "ok" });
    }
    expect([...kinds].every((kind) => kind === "cancelled" || kind === "completed")).toBe(true);
  });

  it("closes in the middle of a turn, which ends as shut down", async () => {
    await using rig = await startRig();
    const held = gate();
    rig.api.on("slow", held);
    const slot = await rig.open();
    const turn = begin(slot, "slow");
    await held.reached;
    await Promise.all([slot.close(), slot.close()]);
    const { outcome } = await turn.ran;
    expect({ ending: ending(outcome), left: await countMarked(slot.identity.marker) }).toEqual({
      ending: { kind: "cancelled", reason: "shutdown" },
      left: 0,
    });
  });
});
