/** Hosts with the real CLI, killed while the model streams or a tool runs. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type Child, startChild } from "../../bench/ground/child.ts";
import { processesOf } from "../../bench/ground/leftovers.ts";
import { type Model, withModel } from "../../bench/ground/model.ts";
import { openPool } from "../../src/index.ts";
import { type LoggedRequest, type Reply, stall, text, toolUse } from "../../src/testing/index.ts";
import { checkStore, type FaultsOptions } from "./checks.ts";
import { ended } from "./ended.ts";
import type { RealHostOrder } from "./children/real-host.ts";

const slots = 2;
const longestPauseMs = 400;

/** Tasks are named by how their first attempt hangs. */
const taskName = /\b(stream|tool)-\d+\b/;

export async function realKills({ kills, random, checks }: FaultsOptions): Promise<void> {
  await withModel(async (model) => {
    hangOnFirstAttempt(model);
    const store = model.path("pool.db");
    await using watcher = await openPool({ cwd: model.work, store, slots: 0 });
    const hung = { stream: 0, tool: 0 };
    for (let kill = 0; kill < kills; kill += 1) {
      const names = [0, 1].map((index) => `${random.chance(0.5) ? "stream" : "tool"}-${String(2 * kill + index)}`);
      await watcher.submitMany(names.map((name) => `Do ${name}.`));
      // With and without a namespace of its own: the next host must end either.
      const host = startHost(model, store, kill % 2 === 0 ? "auto" : "off");
      const first = await Promise.race(names.map((name) => hangs(model, name, host)));
      hung[first.startsWith("tool") ? "tool" : "stream"] += 1;
      await pause(random.next() * longestPauseMs);
      await host.kill();
    }
    const last = startHost(model, store, "auto");
    const tasks = kills * 2;
    await ended(watcher, tasks);
    last.tell("close");
    await last.exited;
    const { completedTasks } = await watcher.status();
    await watcher.close();

    const wentOn = model.api.requests.filter(({ prompt }) => prompt.includes("was cut off by a crash")).length;
    console.log(
      `   ${String(kills)} hosts killed, ${String(hung.stream)} in a stream, ${String(hung.tool)} in a tool; ` +
        `${String(tasks)} tasks, ${String(wentOn)} calls of runs that went on in their conversation`,
    );
    checkStore(store, checks);
    checks.equal("every task was completed", completedTasks, tasks);
    checks.none("no process is left", processesOf(model.folder));
  });
}

/** The first attempt at a task hangs in mid-stream or in a tool, which also leaves a daemon; every later one is answered. */
function hangOnFirstAttempt({ api, work }: Model): void {
  const seen = new Set<string>();
  api.on(taskName, (request: LoggedRequest): Reply => {
    const [name = ""] = taskName.exec(request.prompt) ?? [];
    if (seen.has(name)) return text("done");
    seen.add(name);
    if (name.startsWith("stream")) return stall({ afterText: "I began with it, and" });
    const command = `setsid tail -f /dev/null & touch '${join(work, name)}'; tail -f /dev/null`;
    return toolUse("Bash", { command, timeout: 600_000 });
  });
}

/** Resolves to the task's name when its attempt hangs. */
async function hangs({ api, work }: Model, name: string, host: Child): Promise<string> {
  const gone = new AbortController();
  void host.exited.then(() => gone.abort());
  await api.waitForRequest((request) => taskName.exec(request.prompt)?.[0] === name);
  while (name.startsWith("tool") && !existsSync(join(work, name)) && !gone.signal.aborted) await pause(10);
  return name;
}

function startHost(model: Model, store: string, processNamespace: RealHostOrder["processNamespace"]): Child {
  const order: RealHostOrder = { store, cwd: model.work, slots, processNamespace };
  return startChild(new URL("children/real-host.ts", import.meta.url), order, model.folder, model.env("home"));
}
