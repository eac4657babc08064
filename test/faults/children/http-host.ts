/** A host that serves HTTP, with the scripted runner: works on whatever it is sent until it is told to stop, or killed. */
import { setTimeout as pause } from "node:timers/promises";
import { openPool } from "../../../src/index.ts";
import { startHttpServer } from "../../../src/server/http-server.ts";
import { completed, scriptedRunner } from "../../../src/testing/index.ts";

export interface HttpHostOrder {
  readonly store: string;
  readonly cwd: string;
  readonly slots: number;
  /** 0: any. */
  readonly port: number;
  readonly longestTurnMs: number;
}

process.once("disconnect", () => process.exit(1));
const order = JSON.parse(process.argv[2] ?? "") as HttpHostOrder;
const { store, cwd, slots } = order;
const runner = scriptedRunner(async ({ prompt }, _launch, { signal, emit }) => {
  emit({ type: "text", text: `on ${prompt}\n` });
  await pause(order.longestTurnMs * Math.random(), undefined, { signal });
  return completed(`did ${prompt}`, { costMicrodollars: 10 });
});

const pool = await openPool({ cwd, store, slots, runner, kind: "serve" });
const http = await startHttpServer(pool, { port: order.port });
process.send?.(http.url);
process.once("message", () => void stop());

async function stop(): Promise<void> {
  await http.close(0);
  await pool.close({ graceMs: 10_000 });
  process.disconnect();
}
