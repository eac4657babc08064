/** What every implementation of the `Records` port keeps of webhooks, of deliveries, and of who delivers. */
import { describe, expect, it } from "vitest";
import type { NewWebhook, Notice } from "../../src/core/webhook.ts";
import { openedRecords, startMs, type OpenedRecords, type StartRecords } from "./opened-records.ts";

export function webhooksContract(name: string, start: StartRecords): void {
  const ground = (): Promise<OpenedRecords> => openedRecords(start);
  describe(`Records: ${name}: webhooks`, () => {
    couriers(ground);
    deliveries(ground);
  });
}

function webhook(id: string, more: Partial<NewWebhook> = {}): NewWebhook {
  return { id: `wh_${id}`, url: `https://${id}.example/`, events: [], allowPrivate: false, secret: "whsec_x", ...more };
}

const notice = (seq: number, event: Notice["event"] = "task_completed"): Notice => ({
  seq,
  event,
  payload: `{"seq":${String(seq)}}`,
});

function couriers(ground: () => Promise<OpenedRecords>): void {
  it("gives the right to deliver to one at a time, until its time is over or it leaves", async () => {
    const { records, clock } = await ground();

    const first = await records.holdCourier("a", startMs + 100);
    const meanwhile = await records.holdCourier("b", startMs + 100);
    clock.advance(101);
    const later = await records.holdCourier("b", startMs + 300);
    const lost = await records.writeDeliveries("a", 5, []);
    await records.leaveCourier("b");
    const left = await records.holdCourier("a", startMs + 300);

    expect([first, meanwhile, later, lost, left]).toEqual([0, undefined, 0, false, 0]);
  });

  it("gives it at once to another where its holder is gone, and leaves it to one that lives", async () => {
    const { records } = await ground();
    const asked: string[] = [];
    const isGone = (holder: string): boolean => asked.push(holder) > 0 && holder === "a";

    await records.holdCourier("a", startMs + 100, isGone);
    const own = await records.holdCourier("a", startMs + 200, isGone);
    const taken = await records.holdCourier("b", startMs + 100, isGone);
    const refused = await records.holdCourier("c", startMs + 100, isGone);
    const lost = await records.writeDeliveries("a", 5, []);

    expect([own, taken, refused, lost, asked]).toEqual([0, 0, undefined, false, ["a", "b"]]);
  });

  it("goes on from where deliveries have been written, and never back", async () => {
    const { records } = await ground();
    await records.addWebhook(webhook("one"));
    const begun = (await records.holdCourier("a", startMs + 100)) ?? 0;

    const written = await records.writeDeliveries("a", begun + 7, [notice(begun + 7)]);
    const back = await records.writeDeliveries("a", begun + 3, [notice(begun + 3)]);
    const cursor = await records.holdCourier("a", startMs + 200);

    expect([written, back, cursor, (await records.dueDeliveries(10)).length]).toEqual([true, false, begun + 7, 1]);
  });
}

function deliveries(ground: () => Promise<OpenedRecords>): void {
  it("writes a delivery for each webhook that wants the event and was there before it, under an id that stays the same", async () => {
    const { records } = await ground();
    await records.addWebhook(webhook("all"));
    await records.addWebhook(webhook("failed", { events: ["task_failed"] }));
    const seq = (await records.lastEventSeq()) + 1;
    await records.holdCourier("a", startMs + 100);
    await records.append([{ type: "message.dropped", data: { to: "nobody", count: 1 } }]);
    await records.addWebhook(webhook("late"));

    await records.writeDeliveries("a", seq, [notice(seq)]);
    await records.writeDeliveries("a", seq, [notice(seq)]); // after a crash that lost the answer

    expect(
      (await records.dueDeliveries(10)).map(({ id, attempts, webhook: { id: to } }) => [id, attempts, to]),
    ).toEqual([[`msg_all_${String(seq)}`, 0, "wh_all"]]);
  });

  it("keeps a delivery until its end is known, and counts how it ended", async () => {
    const { records, clock } = await ground();
    await records.addWebhook(webhook("one"));
    await records.holdCourier("a", startMs + 100);
    const seq = (await records.lastEventSeq()) + 1;
    await records.writeDeliveries("a", seq + 1, [notice(seq), notice(seq + 1)]);
    const [one, two] = await records.dueDeliveries(10);
    const [first, second] = [one?.id ?? "", two?.id ?? ""];

    await records.noteAttempts([
      { deliveryId: first, error: "answered 500", retryAtMs: startMs + 5_000 },
      { deliveryId: second },
    ]);
    const waiting = [await records.dueDeliveries(10), await records.nextDeliveryMs()];
    clock.advance(5_000);
    const again = await records.dueDeliveries(10);
    await records.noteAttempts([{ deliveryId: first, error: "answered 500" }]);
    const [record] = await records.webhooks();

    expect({ waiting, again: again.map(({ id, attempts }) => [id, attempts]), record }).toEqual({
      waiting: [[], startMs + 5_000],
      again: [[first, 1]],
      record: {
        id: "wh_one",
        url: "https://one.example/",
        events: [],
        allowPrivate: false,
        createdAtMs: startMs,
        pending: 0,
        delivered: 1,
        failed: 1,
        lastError: "answered 500",
        lastAttemptAtMs: startMs + 5_000,
      },
    });
  });

  it("removes a webhook with what waits for it, and tells of both", async () => {
    const { records } = await ground();
    await records.addWebhook(webhook("one"));
    await records.holdCourier("a", startMs + 100);
    const seq = (await records.lastEventSeq()) + 1;
    await records.writeDeliveries("a", seq, [notice(seq)]);
    const [due] = await records.dueDeliveries(10);

    const removed = [await records.removeWebhook("wh_one"), await records.removeWebhook("wh_one")];
    await records.noteAttempts([{ deliveryId: due?.id ?? "" }]); // was under way

    const events = (await records.events(0, 10)).map(({ type, data }) => [type, data]);
    expect({ removed, left: [await records.webhooks(), await records.dueDeliveries(10)], events }).toEqual({
      removed: [true, false],
      left: [[], []],
      events: [
        ["webhook.added", { webhookId: "wh_one" }],
        ["webhook.removed", { webhookId: "wh_one" }],
      ],
    });
  });
}
