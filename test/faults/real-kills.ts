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
    const hangs = hangOnFirstAttempt(model);
    const store = model.path("pool.db");
    await using watcher = await openPool({ cwd: model.work, store, slots: 0 });
    const hung = { stream: 0, tool: 0 };
    for (let kill = 0; kill < kills; kill += 1) {
      const names = [0, 1].map((index) => `${random.chance(0.5) ? "stream" : "tool"}-${String(2 * kill + index)}`);
      const next = hangs.next();
      await watcher.submitMany(names.map((name) => `Do ${name}.`));
      // With and without a namespace of its own: the next host must end either.
      const host = startHost(model, store, kill % 2 === 0 ? "auto" : "off");
      hung[(await next).startsWith("tool") ? "tool" : "stream"] += 1;
      await pause(random.next() * longestPauseMs);
      await host.kill();
    }
    hangs.stop();
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

interface Hangs {
  /** The name of the task whose attempt is the next to hang. */
  next(): Promise<string>;
  /** From now on every attempt is answered. */
  stop(): void;
}

/** The first attempt at a task hangs in mid-stream or in a tool, which also leaves a daemon; every later one is answered. */
function hangOnFirstAttempt({ api, work }: Model): Hangs {
  const seen = new Set<string>();
  let isOver = false;
  let waiting: ((name: string) => void) | undefined;
  api.on(taskName, (request: LoggedRequest): Reply => {
    const [name = ""] = taskName.exec(request.prompt) ?? [];
    if (seen.has(name) || isOver) return text("done");
    seen.add(name);
    const begun = join(work, name);
    void exists(name.startsWith("tool") ? begun : work).then(() => waiting?.(name));
    if (name.startsWith("stream")) return stall({ afterText: "I began with it, and" });
    const command = `setsid tail -f /dev/null & touch '${begun}'; tail -f /dev/null`;
    return toolUse("Bash", { command, timeout: 600_000 });
  });
  return {
    next: () => new Promise((resolve) => (waiting = resolve)),
    stop: () => (isOver = true),
  };
}

/** Resolves when the file is there; a tool of a killed host may never get to it, and then nobody waits for it either. */
async function exists(path: string): Promise<void> {
  for (let look = 0; look < 1_000 && !existsSync(path); look += 1) await pause(10);
}

function startHost(model: Model, store: string, processNamespace: RealHostOrder["processNamespace"]): Child {
  const order: RealHostOrder = { store, cwd: model.work, slots, processNamespace };
  return startChild(new URL("children/real-host.ts", import.meta.url), order, model.folder, model.env("home"));
}
