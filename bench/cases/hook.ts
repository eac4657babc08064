/** The hook program beside the cheapest thing that its Node can do: with an empty log, and with 100,000 live entries. */
import { spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Bench, type Figure, median, round } from "../figure.ts";
import { withFolder } from "../ground/folder.ts";

const program = new URL("../../plugin/hooks/claude-pool-hook.cjs", import.meta.url).pathname;
const entries = 100_000;

export const hook: Bench = async ({ quick }) =>
  withFolder(async (folder) => {
    const rounds = quick ? 15 : 60;
    const place = placeIn(folder);
    const empty = measured(place, rounds, () => place.empty());
    place.fill();
    const full = measured(place, rounds, () => place.add());
    return [
      figure("hook_empty_log", "the hook program, nothing in the log, beside `node -e 0`", empty, 1.5),
      figure(
        "hook_full_log",
        "the hook program, 100,000 live entries and a new one each time, beside `node -e 0`",
        full,
        2,
      ),
    ];
  });

interface Measured {
  readonly bare: number;
  readonly events: Readonly<Record<string, number>>;
}

/** The slowest event counts. */
function figure(id: string, what: string, { bare, events }: Measured, atMost: number): Figure {
  const slowest = Math.max(...Object.values(events));
  return {
    id,
    what,
    value: round(slowest / bare),
    unit: "times",
    target: { atMost },
    details: {
      bare_ms: round(bare),
      ...Object.fromEntries(Object.entries(events).map(([event, ms]) => [`${event}_ms`, round(ms)])),
      node: process.version,
    },
  };
}

/** The medians of alternating starts, so that whatever else the machine does meets all alike. */
function measured(place: Place, rounds: number, before: () => void): Measured {
  const times = new Map<string, number[]>();
  const time = (name: string, args: readonly string[], stdin: string): void => {
    const start = performance.now();
    const { status } = spawnSync(process.execPath, args, { input: stdin, env: place.env });
    const taken = performance.now() - start;
    if (status !== 0) throw new Error(`${name} ended with ${String(status)}`);
    times.set(name, [...(times.get(name) ?? []), taken]);
  };
  for (let number = 0; number < rounds; number += 1) {
    time("bare", ["-e", "0"], "");
    for (const [event, input] of Object.entries(place.inputs)) {
      before();
      time(event, [program], input);
    }
  }
  const medians = [...times].map(([name, all]) => [name, median(all)] as const);
  const events = Object.fromEntries(medians.filter(([name]) => name !== "bare"));
  return { bare: median(times.get("bare") ?? []), events };
}

interface Place {
  readonly env: NodeJS.ProcessEnv;
  /** What each event's stdin holds. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Forgets what the hooks wrote. */
  empty(): void;
  fill(): void;
  add(): void;
}

function placeIn(folder: string): Place {
  const [work, pool] = [join(folder, "work"), join(folder, "pool")];
  for (const path of [join(work, "src"), pool]) mkdirSync(path, { recursive: true, mode: 0o700 });
  const log = join(pool, "instance_state.jsonl");
  const input = (event: string, fields: object): string =>
    JSON.stringify({ session_id: "bench", hook_event_name: event, cwd: work, ...fields });
  let number = 0;
  const line = (): string => {
    number += 1;
    return `${JSON.stringify({
      v: 2,
      id: `bench-${String(number)}`,
      timestamp: Date.now() / 1000,
      ttl: 604_800,
      source_instance: "A",
      session_id: "aaaaaaaa",
      sid: "aaaaaaaaaaaaaaaa",
      action: number % 10 === 0 ? "claimed" : "completed",
      topic: `Token refresh, part ${String(number)}`,
      summary: "Fixed the race condition in the token refresh with a mutex; all tests pass.",
      affects: `src/part-${String(number)}.ts`,
      paths: [`src/part-${String(number)}.ts`],
      blocks: "",
      relevance: {},
    })}\n`;
  };
  return {
    env: { PATH: process.env.PATH, HOME: folder, POOL_HOME: pool, CLAUDE_PROJECT_DIR: work, CLAUDE_INSTANCE: "B" },
    inputs: {
      SessionStart: input("SessionStart", { source: "startup" }),
      UserPromptSubmit: input("UserPromptSubmit", { prompt: "Make the token refresh faster, please." }),
      PreToolUse: input("PreToolUse", { tool_name: "Edit", tool_input: { file_path: join(work, "src/a.ts") } }),
      Stop: input("Stop", { last_assistant_message: "All tests pass." }),
    },
    empty: () => rmSync(log, { force: true }),
    fill: () => writeFileSync(log, Array.from({ length: entries }, line).join(""), { mode: 0o600 }),
    add: () => appendFileSync(log, line()),
  };
}
