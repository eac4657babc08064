/** The pool's slots and a person's terminals in one log: each sees what the other holds. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { openPool } from "../../src/open-pool.ts";
import type { Pool } from "../../src/pool.ts";
import { text, toolUse } from "../../src/testing/index.ts";
import { rig, type Ran } from "../cli/rig.ts";
import { desk, type Desk } from "./terminal.ts";

interface Office extends Desk {
  readonly pool: Pool;
  /** `claude-pool …` in the folder of the terminals and the pool. */
  readonly program: (command: string, ...argv: readonly string[]) => Promise<Ran>;
}

/** A pool with a slot beside the terminals of a desk, in their folder and with their log. */
async function office(): Promise<Office> {
  const place = await desk();
  const cli = rig();
  onTestFinished(() => cli[Symbol.dispose]());
  const store = join(cli.poolHome, "pool.db");
  const env = { ...place.api.environment(place.home), POOL_HOME: join(place.home, ".claude", "pool") };
  const pool = await openPool({
    cwd: place.work,
    store,
    env,
    permissionMode: "acceptEdits",
    model: "claude-sonnet-4-5",
  });
  onTestFinished(() => pool.close());
  writeFileSync(join(place.work, "notes.txt"), "old\n");
  return {
    ...place,
    pool,
    program: (command, ...argv) =>
      cli.run([command, ...argv, ...(command === "log" ? [] : ["--store", store])], {
        cwd: place.work,
        env: { HOME: place.home },
      }),
  };
}

function block(action: string): string {
  return ["As you say.", "", "```pool", `ACTION: ${action}`, "TOPIC: Notes rework", "AFFECTS: notes.txt", "```"].join(
    "\n",
  );
}

it("holds a task, visibly, while a terminal claims what it names, and starts it when that is released", async () => {
  const place = await office();
  const { api, pool, program } = place;
  api.on("take the notes", text(block("claimed")));
  api.on("leave the notes", text(block("released")));
  const terminal = await place.open({ instance: "ada" });
  await terminal.say("take the notes");

  const task = await pool.submit("Mend the notes", { paths: ["notes.txt"] });
  await noted(pool, task.id);
  const held = await program("list");
  const before = api.requests.some(({ userText }) => userText.includes("Mend the notes"));
  await terminal.say("leave the notes");
  const { state } = await task.outcome();

  await terminal.close();
  expect([held.stdout.includes("claim: ada claimed notes.txt"), before, state]).toEqual([true, false, "completed"]);
});

it("tells a terminal what a slot holds, before its next prompt and before its edit", async () => {
  const place = await office();
  const { api, pool, program, work } = place;
  const done = Promise.withResolvers<undefined>();
  api.on("Mend the notes", async () => {
    await done.promise;
    return text("Mended.");
  });
  const path = join(work, "notes.txt");
  const read = toolUse("Read", { file_path: path });
  api.on("edit the notes", read, toolUse("Write", { file_path: path, content: "new\n" }), text("Edited."));
  const task = await pool.submit("Mend the notes", { paths: ["notes.txt"] });
  await api.waitForRequest("Mend the notes");

  await place.ask("edit the notes", { instance: "ada" });
  const who = await program("log", "who");
  const sent = JSON.stringify(api.requests.map(({ body }) => body));
  done.resolve(undefined);
  await task.outcome();
  await pool.close();
  const list = await program("log", "list");

  expect([
    /- \[slot-1\] claimed: Mend the notes/.test(sent),
    /notes\.txt is claimed by slot-1, \d+s ago/.test(sent),
    /slot-1 .*notes\.txt/.test(who.stdout),
    /\[slot-1\] COMPLETED: Mend the notes/.test(list.stdout),
  ]).toEqual([true, true, true, true]);
});

/** Resolves once a host has looked whose claim it is. */
async function noted(pool: Pool, id: string): Promise<void> {
  while ((await pool.get(id)).hold?.note === undefined) await new Promise(setImmediate);
}
