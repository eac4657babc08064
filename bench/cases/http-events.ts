/** From an event's own time to an HTTP client that follows the pool, with 100 of them, tasks running beside. */
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { openPool } from "../../src/index.ts";
import { EventClient, manySockets } from "../../test/faults/event-clients.ts";
import type { HttpHostOrder } from "../../test/faults/children/http-host.ts";
import { type Bench, median, percentile, round } from "../figure.ts";
import { startChild } from "../ground/child.ts";
import { withFolder } from "../ground/folder.ts";

const clients = 100;
const betweenTasksMs = 50;

export const httpEvents: Bench = ({ quick }) =>
  withFolder(async (folder) => {
    const store = join(folder, "pool.db");
    const order: HttpHostOrder = { store, cwd: folder, slots: 4, port: 0, longestTurnMs: 20 };
    const host = startChild(new URL("../../test/faults/children/http-host.ts", import.meta.url), order, folder);
    const url = String(await host.says());
    await using pool = await openPool({ cwd: folder, store, slots: 0 });
    const agent = manySockets();
    const times: number[] = [];
    let isMeasured = false;
    // The event's time is cut to a whole millisecond, so half of one is taken off on average.
    const heard = (atMs: number): void => {
      if (isMeasured) times.push(performance.timeOrigin + performance.now() - atMs - 0.5);
    };
    const after = await pool.lastEventSeq();
    const all = Array.from({ length: clients }, () => new EventClient(url, after, agent, heard));
    const connected = Promise.withResolvers<void>();
    let waiting = clients;
    const following = Promise.all(all.map((client) => client.follow(() => --waiting === 0 && connected.resolve())));
    await connected.promise;
    const tasks = quick ? 60 : 300;
    for (let number = 0; number < tasks; number += 1) {
      isMeasured = number >= 20; // the first ones warm the code up
      await fetch(`${url}/v1/tasks`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ prompt: `task ${String(number)}` }),
      });
      await pause(betweenTasksMs);
    }
    for (const client of all) client.close();
    await following;
    agent.destroy();
    host.tell("stop");
    await host.exited;
    return [
      {
        id: "http_event_p99_ms",
        what: "an event to 100 clients of the pool's stream, from its own time, p99",
        value: round(percentile(times, 99), 1),
        unit: "ms",
        target: { atMost: 20 },
        details: {
          p50_ms: round(median(times), 1),
          p95_ms: round(percentile(times, 95), 1),
          events_told: times.length,
        },
      },
    ];
  });
