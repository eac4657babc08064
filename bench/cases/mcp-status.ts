/** `pool_status` over stdio, from the official client's call to its answer, beside a queue that is not empty. */
import { fileURLToPath } from "node:url";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { openPool } from "../../src/index.ts";
import { type Bench, median, percentile, round, timed } from "../figure.ts";
import { withModel } from "../ground/model.ts";

const child = fileURLToPath(new URL("../children/mcp.ts", import.meta.url));

export const mcpStatus: Bench = ({ quick }) =>
  withModel(async (model) => {
    const store = model.path("pool.db");
    const pool = await openPool({ cwd: model.work, store, slots: 0 });
    await pool.submitMany(Array.from({ length: 1_000 }, (_, index) => `waits ${String(index)}`));
    await pool.close();
    const client = new Client({ name: "bench", version: "1" });
    await client.connect(
      new StdioClientTransport({
        command: process.execPath,
        // Without slots: what is measured is the server, not the work beside it.
        args: [child, "--store", store, "--slots", "0"],
        cwd: model.work,
        env: { ...model.env("mcp"), PATH: process.env.PATH ?? "" },
        stderr: "ignore",
      }),
    );
    const call = (): Promise<unknown> => client.callTool({ name: "pool_status", arguments: {} });
    for (let index = 0; index < 100; index += 1) await call();
    const times: number[] = [];
    const rounds = quick ? 300 : 2_000;
    for (let index = 0; index < rounds; index += 1) times.push(await timed(call));
    const { tools } = await client.listTools();
    await client.close();
    return [
      {
        id: "mcp_status_p50_ms",
        what: "`pool_status` over stdio with a thousand tasks in the queue, official client, p50",
        value: round(median(times)),
        unit: "ms",
        target: { atMost: 2 },
        details: { p95_ms: round(percentile(times, 95)), rounds, tools: tools.length },
      },
    ];
  });
