/** What every Runner promises (R1-R4 of core/ports.ts), run over the real CLI and over the scripted one. */
import { describe, expect, it } from "vitest";
import type { Outcome } from "../../src/core/outcome.ts";
import type { LaunchSpec, Runner, SlotProcess, TurnEvent, TurnListener, TurnSpec } from "../../src/core/runner-port.ts";

/** A runner, and a model behind it that does as it is told. */
export interface RunnerUnderTest extends AsyncDisposable {
  readonly runner: Runner;
  readonly launch: LaunchSpec;
  /** From now on a turn with this prompt is answered so. */
  answer(prompt: string, output: string): void;
  /** From now on a turn with this prompt is never answered; resolves when one has begun. */
  hang(prompt: string): Promise<unknown>;
}

function spec(prompt: string): TurnSpec {
  return {
    runId: crypto.randomUUID(),
    prompt,
    permissionMode: "default",
    allowedTools: [],
    disallowedTools: [],
    silenceTimeoutMs: 60_000,
  };
}

function told({ kind, result }: Outcome): unknown {
  return { kind, reason: result.reason, success: result.success, output: result.output };
}

export function testRunner(name: string, setup: () => Promise<RunnerUnderTest>): void {
  const never = (): AbortSignal => new AbortController().signal;
  const turn = (slot: SlotProcess, prompt: string, emit: TurnListener = () => undefined): Promise<Outcome> =>
    slot.turn(spec(prompt), never(), emit);

  describe(`${name} as a runner`, () => {
    it("answers one turn after the other, each in a conversation of its own after clear", async () => {
      await using under = await setup();
      under.answer("one", "first");
      under.answer("two", "second");
      const slot = await under.runner.open(under.launch);
      const events: TurnEvent[] = [];
      const first = await turn(slot, "one", (event) => {
        events.push(event);
        return undefined;
      });
      const cleared = await slot.clear();
      const second = await turn(slot, "two");
      const texts = events.flatMap((event) => (event.type === "text" ? [event.text] : []));
      const conversations = events.flatMap((event) => (event.type === "conversation" ? [event.sessionId] : []));
      expect({
        outcomes: [told(first), told(second)],
        cleared,
        texts: texts.join(""),
        conversations,
        another: first.result.sessionId !== second.result.sessionId,
      }).toEqual({
        outcomes: [
          { kind: "completed", success: true, output: "first" },
          { kind: "completed", success: true, output: "second" },
        ],
        cleared: true,
        texts: "first",
        conversations: [first.result.sessionId],
        another: true,
      });
    });

    it("ends a turn by the signal's reason, begun or not, and serves on", async () => {
      await using under = await setup();
      under.answer("after", "fine");
      const slot = await under.runner.open(under.launch);
      const endings: unknown[] = [];
      for (const cause of ["cancel", "shutdown", "timeout", "budget"] as const) {
        const prompt = `hang until ${cause}`;
        const begun = under.hang(prompt);
        const controller = new AbortController();
        const ending = slot.turn(spec(prompt), controller.signal, () => undefined);
        await begun;
        controller.abort(cause);
        const { kind, result } = await ending;
        endings.push([kind, result.success]);
      }
      const late = await slot.turn(spec("after"), AbortSignal.abort("cancel"), () => undefined);
      const after = await turn(slot, "after");
      expect({ endings, late: late.kind, lateCost: late.result.output, after: told(after) }).toEqual({
        endings: [
          ["cancelled", false],
          ["cancelled", false],
          ["timed_out", false],
          ["failed", false],
        ],
        late: "cancelled",
        lateCost: "",
        after: { kind: "completed", success: true, output: "fine" },
      });
    });

    it("runs one turn at a time, and says so without harm to the first", async () => {
      await using under = await setup();
      under.answer("after", "fine");
      const slot = await under.runner.open(under.launch);
      const begun = under.hang("first");
      const controller = new AbortController();
      const first = slot.turn(spec("first"), controller.signal, () => undefined);
      await begun;
      const second = await turn(slot, "after");
      controller.abort("cancel");
      expect([(await first).kind, second.kind, (await turn(slot, "after")).kind]).toEqual([
        "cancelled",
        "failed",
        "completed",
      ]);
    });

    it("opens nothing for a caller that has gone", async () => {
      await using under = await setup();
      const opening = under.runner.open(under.launch, { signal: AbortSignal.abort("shutdown") });
      await expect(opening).rejects.toMatchObject({ code: "aborted" });
    });

    it("closes at any time and any number of times, and is then of no use", async () => {
      await using under = await setup();
      const slot = await under.runner.open(under.launch);
      const begun = under.hang("slow");
      const running = turn(slot, "slow");
      await begun;
      await Promise.all([slot.close(), slot.close()]);
      await slot.gone;
      await slot.close();
      const ended = await running;
      const after = await turn(slot, "after");
      expect({
        success: ended.result.success,
        ended: ["cancelled", "lost"].includes(ended.kind),
        after: [after.kind, after.result.costMicrodollars],
        clear: await slot.clear(),
      }).toEqual({ success: false, ended: true, after: ["lost", 0], clear: false });
    });
  });
}
