/** A host killed with 10,000 tasks pending and four Claude processes at work: how soon the next host's first turn starts. */
import type { HostOrder } from "../children/host.ts";
import { type Bench, median, round } from "../figure.ts";
import { startChild } from "../ground/child.ts";
import { type Model, withModel } from "../ground/model.ts";
import { sequence, stall, text } from "../../src/testing/index.ts";

const pending = 10_000;
const running = 4;

export const reopen: Bench = async ({ quick }) => {
  const seconds: number[] = [];
  for (let number = 0; number < (quick ? 2 : 5); number += 1) seconds.push(await withModel(once));
  return [
    {
      id: "reopen_to_first_turn",
      what: "reopening after `kill -9` with 10,000 pending and 4 running on the real CLI, to the first new turn at the model",
      value: round(median(seconds)),
      unit: "s",
      target: { atMost: 2 },
      details: {
        slowest_s: round(Math.max(...seconds)),
        rounds: seconds.length,
        includes: "the start of the new host's Node",
      },
    },
  ];
};

async function once(model: Model): Promise<number> {
  const { api } = model;
  const hang = stall({ afterText: "I began, and" });
  api.on("in the middle", sequence(...[hang, hang, hang, hang], text("ok")));
  const first = startHost(model, [
    { prompt: "in the middle", tasks: running },
    ...Array.from({ length: 10 }, () => ({ prompt: "waiting", tasks: pending / 10 })),
  ]);
  await first.says();
  await Promise.all(
    Array.from({ length: running }, (_, index) => api.waitForRequest(`in the middle ${String(index)}.`)),
  );
  await first.kill();
  const seen = api.requests.length;
  const start = performance.now();
  const second = startHost(model, []);
  await api.waitForRequest((request) => request.index >= seen);
  const seconds = (performance.now() - start) / 1_000;
  await second.kill();
  return seconds;
}

function startHost(model: Model, submit: HostOrder["submit"]): ReturnType<typeof startChild> {
  const order: HostOrder = {
    store: model.path("pool.db"),
    cwd: model.work,
    env: model.env("home"),
    slots: running,
    submit,
  };
  return startChild(new URL("../children/host.ts", import.meta.url), order, model.folder);
}
