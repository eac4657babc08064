import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { startHttpServer } from "../../src/server/http-server.ts";
import { failed } from "../../src/testing/outcomes.ts";
import { scriptedPool } from "../engine/scripted-pool.ts";
import { sse, type Message, type SseClient } from "./sse.ts";
import { served, serving } from "./serving.ts";

const idsOf = (messages: readonly Message[]): readonly number[] =>
  messages.flatMap(({ id }) => (id === undefined ? [] : [id]));
const namesOf = (messages: readonly Message[]): readonly string[] => messages.map(({ event }) => event);

/** Waits for the event with this id; what comes after it, such as a slot's own news, is nobody's to count here. */
const upTo = async (client: SseClient, last: number): Promise<readonly Message[]> => {
  await client.until((messages) => (idsOf(messages).at(-1) ?? 0) >= last);
  return client.messages.filter(({ id = 0 }) => id <= last);
};

describe("the stream of a task", () => {
  it("tells it from its beginning to its end, with the text between, and is over then", async () => {
    const { http, pool } = await served({}, {}, (_turn, _launch, { emit }) => {
      emit({ type: "text", text: "half a 😀" });
      return " and the rest";
    });
    await pool.run("another task");
    const { id } = await pool.submit("work");

    const client = await sse(`${http.url}/v1/tasks/${id}/stream`);
    await client.ended;

    const text = client.messages
      .filter(({ event }) => event === "task.output")
      .map(({ data }) => (data.data as { readonly text: string }).text);
    expect([
      namesOf(client.messages).filter((name) => name !== "task.output"),
      text.join(""),
      client.messages.at(-1)?.data,
    ]).toEqual([
      ["state", "state", "complete"],
      "half a 😀 and the rest",
      { ...client.messages.at(-1)?.data, task_id: id, state: "completed", type: "task.finished" },
    ]);
  });

  it("names its end as it is: a failure, a cancellation; a review is not one", async () => {
    const { http, pool, runner } = await served();
    runner.on("fail", failed("error"));
    const broken = await pool.submit("fail");
    const reviewed = await pool.submitWithReview("look at it");
    await pool.wait([broken.id, reviewed.id]);
    const clients = await Promise.all([broken, reviewed].map(({ id }) => sse(`${http.url}/v1/tasks/${id}/stream`)));
    await clients[1]?.until((messages) => messages.some(({ data }) => data.state === "pending_review"));
    await pool.cancel(reviewed.id);
    await Promise.all(clients.map(({ ended }) => ended));

    expect(
      clients.map(({ messages }) =>
        messages
          .filter(({ event }) => !event.startsWith("task."))
          .map(({ event, data }) => `${event} ${String(data.state)}`),
      ),
    ).toEqual([
      ["state pending", "state running", "error failed"],
      ["state pending", "state running", "state pending_review", "cancelled cancelled"],
    ]);
  });

  it("sends a client that has all of it home with 204, and one in the middle on from there", async () => {
    const { http, pool } = await served();
    const { id } = await pool.submit("work");
    await pool.wait(id);
    const all = await sse(`${http.url}/v1/tasks/${id}/stream`);
    await all.ended;
    const [first, , last] = [idsOf(all.messages)[0], 0, idsOf(all.messages).at(-1)];

    const again = await sse(`${http.url}/v1/tasks/${id}/stream`, last);
    const rest = await sse(`${http.url}/v1/tasks/${id}/stream`, first);
    await rest.ended;

    expect([again.status, idsOf(rest.messages)]).toEqual([204, idsOf(all.messages).slice(1)]);
  });
});

describe("the stream of a chain", () => {
  it("tells its steps with what they say, and which one failed it", async () => {
    const { http, pool, runner } = await served();
    runner.on("two", failed("error"));
    await pool.run("another task");
    const { id } = await pool.submitChain([
      { name: "one", prompt: "one" },
      { name: "last", prompt: "two" },
    ]);
    await pool.wait(id);

    const client = await sse(`${http.url}/v1/chains/${id}/stream`);
    await client.ended;

    const told = client.messages.filter(({ event }) => /^(step|chain)_/.test(event));
    expect(
      told.map(({ event, data }) => [
        event,
        data.step ?? data.failed_at_step,
        data.name ?? data.chain_id,
        data.success ?? data.chunk,
      ]),
    ).toEqual([
      ["step_start", 0, "one", undefined],
      ["step_output", 0, "one", "ok"],
      ["step_complete", 0, "one", true],
      ["step_start", 1, "last", undefined],
      ["step_complete", 1, "last", false],
      ["chain_failed", 1, id, undefined],
    ]);
  });
});

describe("the stream of the pool", () => {
  it("greets with the status, and tells everything from then on under an id that rises by one", async () => {
    const { http, pool } = await served();
    await pool.run("before");
    const before = await pool.lastEventSeq();
    const client = await sse(`${http.url}/v1/pool/events`);
    await client.until(({ length }) => length > 0);

    await pool.run("work");
    const last = await pool.lastEventSeq();
    const told = await upTo(client, last);
    await client.close();

    const expected = Array.from({ length: last - before }, (_, index) => before + 1 + index);
    expect([told[0]?.event, idsOf(told)]).toEqual(["status", expected]);
  });

  it("misses nothing and tells nothing twice over restarts of the server, with work going on", async () => {
    const folder = mkdtempSync(join(tmpdir(), "claude-pool-stream-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const store = join(folder, "pool.db");
    const { pool } = await scriptedPool({ store, slots: 2 });
    const got: Message[] = [];
    let after = await pool.lastEventSeq();
    const first = after;

    for (let round = 0; round < 5; round += 1) {
      // Another process's pool on the same store, as a server that was started anew.
      const other = await scriptedPool({ store, slots: 0 });
      const http = await startHttpServer(other.pool, { port: 0 });
      const client = await sse(`${http.url}/v1/pool/events`, after);
      const work = pool.fanOut(Array.from({ length: 20 }, (_, n) => `task ${String(round)} ${String(n)}`));
      await client.until((messages) => idsOf(messages).length >= 10);
      await http.close(0);
      await client.ended;
      await other.pool.close();
      await work;
      got.push(...client.messages);
      after = idsOf(client.messages).at(-1) ?? after;
    }
    // The clients may have been told everything by now: this is news for the last one.
    await pool.run("after the restarts");
    const last = await pool.lastEventSeq();
    const { http } = await serving(pool);
    const client = await sse(`${http.url}/v1/pool/events`, after);
    got.push(...(await upTo(client, last)));

    expect(idsOf(got)).toEqual(Array.from({ length: last - first }, (_, index) => first + 1 + index));
  });

  it("drops a client that takes nothing, keeps no text for it, and lets it come back", async () => {
    const { http, pool } = await served({ bounds: { stalledStreamMs: 100 } }, { slots: 0 });
    const socket = connect(http.port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    socket.write("GET /v1/pool/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await once(socket, "readable");
    const before = await pool.lastEventSeq();
    // More than the sockets of both sides hold.
    const tags = Array.from({ length: 64 }, (_, n) => `${String(n)} ${"x".repeat(190)}`);
    await pool.submitMany(Array.from({ length: 1_000 }, (_, n) => ({ prompt: `task ${String(n)}`, tags })));

    const dropped = await streamsEnded(http.url, "stalled");
    const back = await sse(`${http.url}/v1/pool/events`, before);
    await back.until((messages) => idsOf(messages).length >= 1_000);

    expect([dropped, idsOf(back.messages)[0]]).toEqual([1, before + 1]);
  });

  it("is not begun for who asks for its head alone", async () => {
    const { http, pool } = await served();
    const { id } = await pool.submitWithReview("look");

    const heads = await Promise.all(
      ["/v1/pool/events", `/v1/tasks/${id}/stream`, `/v1/tasks/${id}`].map((path) =>
        fetch(http.url + path, { method: "HEAD" }),
      ),
    );

    const open = /^claude_pool_http_streams (\d+)$/m.exec(await (await fetch(`${http.url}/metrics`)).text())?.[1];
    expect([heads.map(({ status }) => status), open]).toEqual([[200, 200, 200], "0"]);
  });

  it("tells what comes to a client whose id is of a log that is gone, such as that of a store made anew", async () => {
    const { http, pool } = await served();
    const before = await pool.lastEventSeq();
    const client = await sse(`${http.url}/v1/pool/events`, 999_999);
    await client.until(({ length }) => length > 0);

    await pool.run("work");
    const last = await pool.lastEventSeq();

    expect(idsOf(await upTo(client, last))[0]).toBe(before + 1);
  });

  it("refuses an id that is none", async () => {
    const { get } = await served();

    const answer = await get("/v1/pool/events", { "last-event-id": "abc" });

    expect(answer.status).toBe(422);
  });

  it("ends when the server stops, and the server does not wait for it", async () => {
    const { http } = await served();
    const client = await sse(`${http.url}/v1/pool/events`);

    await http.close(60_000);
    await client.ended;

    expect(client.status).toBe(200);
  });
});

/** What `/metrics` says of streams that ended so, once it says anything. */
async function streamsEnded(url: string, reason: string): Promise<number> {
  for (;;) {
    const text = await (await fetch(`${url}/metrics`)).text();
    const found = new RegExp(`claude_pool_http_streams_ended_total\\{reason="${reason}"\\} (\\d+)`).exec(text)?.[1];
    if (found !== undefined) return Number(found);
  }
}
