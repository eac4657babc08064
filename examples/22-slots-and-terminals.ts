/** A person's terminal and the pool's slots share the activity log: a task waits for what the terminal claims, then claims it itself. */
import { join } from "node:path";
import { openActivityLog, openPool } from "claude-pool";
import { text } from "claude-pool/testing";
import { offline } from "./shared/offline.ts";

await using stage = await offline();
stage.api.on("session store", text("The session store has tests now."));
const { cwd, store, env } = stage.options;
// Yours is in ~/.claude/pool, and nothing has to be said about it.
const log = { POOL_HOME: join(cwd, "..", "log") };

await using pool = await openPool({ cwd, store, env: { ...env, ...log } });
const alice = openActivityLog({ cwd, instance: "alice", env: { ...process.env, ...log } });
await alice.claim({ affects: ["src/auth/**"], topic: "Rewriting the login" });

const task = await pool.submit("Test the session store", { paths: ["src/auth/session.ts"], claimWaitMs: 60_000 });
for await (const event of task.events()) {
  if (event.type === "task.held") await alice.post({ action: "completed", topic: "Rewriting the login" });
  console.log(event.type);
}
await pool.close();

for (const entry of alice.list({ includeExpired: true }).entries.toReversed())
  console.log(`${entry.sourceInstance} ${entry.action} ${entry.affects}`);
