/** Two terminals of one project: one reports and claims, the other sees it and waits for its turn. No pool, no model. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openActivityLog } from "claude-pool";

const home = mkdtempSync(join(tmpdir(), "claude-pool-example-"));
// Yours is in ~/.claude/pool.
const env = { ...process.env, POOL_HOME: join(home, "pool"), POOL_INSTANCE: undefined };
const alice = openActivityLog({ instance: "alice", env });
const bob = openActivityLog({ instance: "bob", env });

await alice.post({ action: "completed", topic: "Login works again", affects: ["src/auth/login.ts"] });
await alice.claim({ affects: ["src/auth/**", "port:3000"], summary: "Rewriting the session store" });

for (const entry of bob.list().entries) console.log(`${entry.sourceInstance} ${entry.action}: ${entry.topic}`);
const refused = await bob.claim({ affects: ["src/auth/token.ts"] });
console.log(`bob may: ${String(refused.granted)}, ${refused.conflict?.entry.sourceInstance ?? "nobody"} holds it`);

await alice.release();
console.log(`bob may: ${String((await bob.claim({ affects: ["src/auth/token.ts"] })).granted)}`);
console.log(bob.who().map(({ label, claims }) => `${label} holds ${String(claims.length)}`));

rmSync(home, { recursive: true });
