/**
 * 500 clients of the pool's events and 200 requests a second for 20 s, beside running tasks, with the server killed in the
 * middle: no client misses an event or is told one twice, nothing that was accepted is lost, and a webhook is told of all of it.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { startChild, type Child } from "../../bench/ground/child.ts";
import { withFolder } from "../../bench/ground/folder.ts";
import { processesOf } from "../../bench/ground/leftovers.ts";
import { openPool } from "../../src/index.ts";
import { checkStore, type FaultsOptions } from "./checks.ts";
import type { HttpHostOrder } from "./children/http-host.ts";
import { EventClient, manySockets } from "./event-clients.ts";
import { ended } from "./ended.ts";

const clients = 500;
const requestsPerSecond = 200;
const seconds = 20;
/** One request of so many submits a task. */
const submitEvery = 10;
/** On a machine that cannot keep up, requests come later rather than ever more at once. */
const mostUnderWay = 100;
const patienceMs = 60_000;

export async function httpLoad({ checks, random }: FaultsOptions): Promise<void> {
  await withFolder(async (folder) => {
    const store = join(folder, "pool.db");
    const watcher = await openPool({ cwd: folder, store, slots: 0 });
    const first = await watcher.lastEventSeq();
    const agent = manySockets();
    const load = new Load();
    const hook = await webhookReceiver();
    await watcher.webhooks.add({ url: hook.url, events: ["task_completed"], allowPrivate: true });
    let host = await start(folder, store, 0);
    const { url, port } = host;
    const all = Array.from({ length: clients }, () => new EventClient(url, first, agent));
    const { following } = await connected(all);

    const sending = load.send(url, random.below(submitEvery));
    await pause((seconds * 1_000) / 2);
    load.isDown = true;
    load.kills += 1;
    await host.child.kill();
    host = await start(folder, store, port);
    load.isDown = false;
    await sending;

    await ended(watcher, load.accepted.length);
    await hook.has(load.accepted.length, patienceMs);
    await stopped(host.child);
    // What the stop itself wrote is told by a server that has no slots of its own.
    const last = await watcher.lastEventSeq();
    host = await start(folder, store, port, 0);
    await caughtUp(all, last);
    for (const client of all) client.close();
    await following;
    await stopped(host.child);
    agent.destroy();

    const told = all.reduce((sum, client) => sum + client.told, 0);
    console.log(
      `   ${String(load.answered)} requests, ${String(load.accepted.length)} tasks, ${String(told)} events told to ${String(clients)} clients`,
    );
    checks.none(
      "every client was told every event once, in order",
      all.flatMap(({ wrong }) => wrong),
    );
    checks.none(
      "every client was told of the last event",
      all.filter(({ last: own }) => (own ?? 0) < last).map(({ last: own }) => own),
    );
    checks.none("every request was answered as it should", load.wrong);
    const known = await watcher.list({ limit: 1_000_000 });
    const ids = new Set(known.tasks.map(({ id }) => id));
    checks.none(
      "every task that was accepted is in the record",
      load.accepted.filter((id) => !ids.has(id)),
    );
    checks.equal("the webhook was told of every task, each under an id of its own", hook.tasks(), [...ids].sort());
    hook.close();
    await watcher.close();
    checkStore(store, checks);
    checks.none("no process is left", processesOf(folder));
  });
}

/** Takes every delivery, and keeps which task it was about under its id. */
async function webhookReceiver() {
  const told = new Map<string, string>();
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (part: string) => (body += part));
    request.on("end", () => {
      const { data } = JSON.parse(body) as { readonly data: { readonly task_id: string } };
      told.set(String(request.headers["webhook-id"]), data.task_id);
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`,
    tasks: () => [...told.values()].sort(),
    async has(count: number, ms: number) {
      const start = performance.now();
      while (told.size < count && performance.now() - start < ms) await pause(50);
    },
    close: () => server.close(),
  };
}

async function start(
  folder: string,
  store: string,
  port: number,
  slots = 4,
): Promise<{ readonly child: Child; readonly url: string; readonly port: number }> {
  const order: HttpHostOrder = { store, cwd: folder, slots, port, longestTurnMs: 50 };
  const child = startChild(new URL("children/http-host.ts", import.meta.url), order, folder);
  const url = String(await child.says());
  return { child, url, port: Number(new URL(url).port) };
}

async function stopped(child: Child): Promise<void> {
  child.tell("stop");
  await child.exited;
}

/** Resolves when each of them is connected. */
async function connected(all: readonly EventClient[]): Promise<{ readonly following: Promise<unknown> }> {
  let waiting = all.length;
  const whole = Promise.withResolvers<void>();
  const following = Promise.all(
    all.map((client) => {
      let isFirst = true;
      return client.follow(() => {
        if (isFirst && --waiting === 0) whole.resolve();
        isFirst = false;
      });
    }),
  );
  await whole.promise;
  return { following };
}

async function caughtUp(all: readonly EventClient[], last: number): Promise<void> {
  const start = performance.now();
  while (all.some((client) => (client.last ?? 0) < last) && performance.now() - start < patienceMs) await pause(50);
}

class Load {
  readonly accepted: string[] = [];
  readonly wrong: unknown[] = [];
  answered = 0;
  /** While the server is killed and started, requests may fail. */
  isDown = false;
  /** What was under way at one of them may fail. */
  kills = 0;

  async send(url: string, offset: number): Promise<void> {
    const begun = performance.now();
    const under = new Set<Promise<void>>();
    for (let number = 0; number < seconds * requestsPerSecond; number += 1) {
      const asked = (number + offset) % submitEvery === 0 ? this.#submit(url, number) : this.#look(url, number);
      const done = asked.finally(() => under.delete(done));
      under.add(done);
      while (under.size >= mostUnderWay) await Promise.race(under);
      await pause(Math.max(0, begun + ((number + 1) * 1_000) / requestsPerSecond - performance.now()));
    }
    await Promise.all(under);
  }

  /** The key makes it safe to ask again: what was accepted by a server that died under it is found. */
  async #submit(url: string, number: number): Promise<void> {
    const body = JSON.stringify({ prompt: `task ${String(number)}` });
    for (;;) {
      const answer = await this.#ask(`${url}/v1/tasks`, {
        method: "POST",
        body,
        headers: { "content-type": "application/json", "idempotency-key": `task ${String(number)}` },
      });
      if (answer?.status === 202) {
        this.accepted.push(((await answer.json()) as { readonly task_id: string }).task_id);
        return;
      }
      await pause(100);
    }
  }

  async #look(url: string, number: number): Promise<void> {
    const paths = ["/v1/pool/status", "/v1/tasks?limit=5", "/metrics", "/v1/slots"];
    const answer = await this.#ask(url + (paths[number % paths.length] ?? ""), {});
    await answer?.arrayBuffer().catch(() => undefined); // cut off by the kill
  }

  async #ask(url: string, init: RequestInit): Promise<Response | undefined> {
    const [wasDown, before] = [this.isDown, this.kills];
    try {
      const answer = await fetch(url, init);
      this.answered += 1;
      if (!answer.ok) this.wrong.push({ url, status: answer.status });
      return answer;
    } catch (error) {
      if (!wasDown && !this.isDown && this.kills === before)
        this.wrong.push({ url, error: String((error as Error).cause ?? error) });
      return undefined;
    }
  }
}
