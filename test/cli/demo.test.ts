import { existsSync, readdirSync } from "node:fs";
import { expect, it } from "vitest";
import { rig } from "./rig.ts";

it("shows eight tasks on the real CLI: five done, one cancelled, one denied, one over its cap, and leaves nothing", async () => {
  using place = rig();
  const ran = await place.run(["demo", "--json"]);
  const records = ran.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { state: string; result?: { reason?: string; cost_microdollars: number } });
  expect({
    exit: ran.exitCode,
    ends: records.map(({ state, result }) => result?.reason ?? state).sort(),
    free: records.filter(({ result }) => result === undefined || result.cost_microdollars === 0),
    left: existsSync(/in (\/.*)\/greeter/.exec(ran.stderr)?.[1] ?? "/"),
    pools: readdirSync(place.poolHome),
    next: ran.stderr.trim().split("\n").at(-1),
  }).toEqual({
    exit: 0,
    ends: ["budget", "cancelled", "completed", "completed", "completed", "completed", "completed", "permission"],
    free: [],
    left: false,
    pools: [],
    next: '  npx claude-pool run --permission-mode acceptEdits "Fix the failing test"',
  });
});
