/** `kill -9` in the middle of the work: the next process finds the tasks, ends what the dead one left, and finishes them. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { openPool } from "claude-pool";
import { gate, text } from "claude-pool/testing";
import { offline } from "./shared/offline.ts";

const [, program = "", cwd, store, env] = process.argv;
if (cwd !== undefined && store !== undefined && env !== undefined) {
  // The process that will be killed: it hosts one slot, submits three tasks, and works on the first.
  const pool = await openPool({ slots: 1, cwd, store, env: JSON.parse(env) as Record<string, string> });
  for (const prompt of ["First task", "Second task", "Third task"]) await pool.submit(prompt);
} else {
  await using stage = await offline();
  const held = gate(text("First: done."));
  stage.api.on("First", held);
  stage.api.on("Second", text("Second: done."));
  stage.api.on("Third", text("Third: done."));
  // If its transcript already held the prompt, the first conversation is told to go on instead of getting it again.
  stage.api.otherwise(text("First: done, in the second run."));

  const { options } = stage;
  const child = spawn(process.execPath, [program, options.cwd, options.store, JSON.stringify(options.env)], {
    stdio: "inherit",
  });
  await held.reached;
  child.kill("SIGKILL");
  await once(child, "exit");
  held.release();
  console.log("killed while the first task was running");

  await using pool = await openPool({ slots: 1, ...options });
  const { tasks } = await pool.list({ order: "oldest" });
  const { done } = await pool.wait(tasks.map((task) => task.id));
  for (const outcome of done) console.log(outcome.state, "-", outcome.result?.output);
  const runs = await pool.runs(tasks[0]?.id ?? "");
  console.log("runs of the first task:", runs.map((run) => run.outcome).join(", "));
}
