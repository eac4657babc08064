/** Automatic mode in the Stop hook: when it writes, and all that keeps it from writing. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { hookPlace, type Fields, type HookPlace } from "./place.ts";

const answer = "I fixed the token refresh in `src/auth.ts`. All tests pass.";
const on = { CLAUDE_INSTANCE: "A", POOL_AUTO: "1" };

interface Call {
  readonly name: string;
  readonly input: Fields;
  readonly failed?: boolean;
}

const commit: Call = { name: "Bash", input: { command: "git commit -am x" } };

/** The hook's input at the end of a turn with these calls, and the transcript that it names. */
function turn(place: HookPlace, calls: readonly Call[], last: string = answer, said: string = "On it."): Fields {
  const folder = join(place.home, ".claude", "projects");
  mkdirSync(folder, { recursive: true });
  const message = (type: string, ...content: readonly Fields[]): Fields => ({ type, message: { content } });
  const lines = [
    { type: "user", message: { content: "Fix it" } },
    message("assistant", { type: "text", text: said }),
    ...calls.flatMap(({ name, input, failed }, at) => [
      message("assistant", { type: "tool_use", id: `t${String(at)}`, name, input }),
      message("user", { type: "tool_result", tool_use_id: `t${String(at)}`, is_error: failed === true, content: "…" }),
    ]),
    message("assistant", { type: "text", text: last }),
  ];
  const path = join(folder, "t.jsonl");
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return { transcript_path: path, last_assistant_message: last };
}

it("writes a guess with its evidence, and marks it", async () => {
  const place = hookPlace();
  const edit: Call = { name: "Edit", input: { file_path: join(place.work, "src", "auth.ts") } };
  await place.hook("a", "Stop", turn(place, [edit, commit]), on);
  const { action, topic, summary, paths, blocks, origin, confidence, ttl } = place.lines()[0] ?? {};
  expect([place.lines().length, { action, topic, summary, paths, blocks, origin, confidence, ttl }]).toEqual([
    1,
    {
      action: "completed",
      topic: "I fixed the token refresh in src/auth.ts",
      summary: answer,
      paths: ["src/auth.ts"],
      blocks: "",
      origin: "auto",
      confidence: 1,
      ttl: 3600,
    },
  ]);
});

it("shows a guess to others as one", async () => {
  const place = hookPlace();
  await place.hook("a", "Stop", turn(place, [commit]), on);
  expect(await place.hook("b", "SessionStart", { source: "startup" }, { CLAUDE_INSTANCE: "B" })).toContain(
    "- [A] completed: I fixed the token refresh in src/auth.ts (auto)",
  );
});

it("lets guesses of the recommended profile live half as long as reports", async () => {
  const place = hookPlace();
  mkdirSync(place.pool, { recursive: true, mode: 0o700 });
  writeFileSync(join(place.pool, "config.json"), JSON.stringify({ profile: "recommended", automatic: true }));
  await place.hook("a", "Stop", turn(place, [commit]), { CLAUDE_INSTANCE: "A" });
  expect(place.lines().map(({ ttl }) => ttl)).toEqual([4 * 3600]);
});

it.each<readonly [string, unknown, string | undefined, number]>([
  ["nobody turned it on", undefined, undefined, 0],
  ["config.json turns it on", true, undefined, 1],
  ["config.json turns it on with a text", "yes", undefined, 0],
  ["the environment turns it on", undefined, "on", 1],
  ["the environment turns it off for one terminal", true, "0", 0],
  ["the environment says something else", undefined, "perhaps", 0],
])("writes as it is told to where %s", async (_, automatic, variable, count) => {
  const place = hookPlace();
  mkdirSync(place.pool, { recursive: true, mode: 0o700 });
  writeFileSync(join(place.pool, "config.json"), JSON.stringify({ automatic }));
  await place.hook("a", "Stop", turn(place, [commit]), variable === undefined ? {} : { POOL_AUTO: variable });
  expect(place.lines().length).toBe(count);
});

const block = "```pool\nACTION: signaling\nTOPIC: Mine\n```";

it.each<readonly [string, (place: HookPlace) => Promise<unknown>, readonly unknown[]]>([
  [
    "an answer with a block",
    (place) => place.hook("a", "Stop", turn(place, [commit], `${answer}\n\n${block}`), on),
    ["Mine"],
  ],
  [
    "a turn with a block before its last call",
    (place) => place.hook("a", "Stop", turn(place, [commit], answer, block), on),
    ["Mine"],
  ],
  [
    "a turn that has posted by command",
    (place) =>
      place.hook(
        "a",
        "Stop",
        turn(place, [commit, { name: "Bash", input: { command: "npx claude-pool log post x" } }]),
        on,
      ),
    [],
  ],
  [
    "a slot of the pool",
    (place) => place.hook("a", "Stop", turn(place, [commit]), { ...on, CLAUDE_POOL_MARKER: "m" }),
    [],
  ],
  ["a subagent", (place) => place.hook("a", "SubagentStop", { ...turn(place, [commit]), agent_id: "x" }, on), []],
  ["a commit that failed", (place) => place.hook("a", "Stop", turn(place, [{ ...commit, failed: true }]), on), []],
  [
    "tests that were only started",
    (place) =>
      place.hook(
        "a",
        "Stop",
        turn(place, [
          { name: "Write", input: { file_path: join(place.work, "a.ts") } },
          { name: "Bash", input: { command: "npm test", run_in_background: true } },
        ]),
        on,
      ),
    [],
  ],
  [
    "a list of tasks with an open one",
    (place) => place.hook("a", "Stop", turn(place, [todos("completed", "pending")]), on),
    [],
  ],
  [
    "a transcript that ends with another answer",
    (place) => place.hook("a", "Stop", { ...turn(place, [commit], "I fixed it."), last_assistant_message: answer }, on),
    [],
  ],
  ["no transcript", (place) => place.hook("a", "Stop", { last_assistant_message: answer }, on), []],
])("guesses nothing beside %s", async (_, act, topics) => {
  const place = hookPlace();
  await act(place);
  expect(place.lines().map(({ topic }) => topic)).toEqual(topics);
});

function todos(...statuses: readonly string[]): Call {
  return { name: "TodoWrite", input: { todos: statuses.map((status) => ({ content: "x", status })) } };
}

it("takes a list of tasks that are all completed for evidence", async () => {
  const place = hookPlace();
  await place.hook("a", "Stop", turn(place, [todos("completed", "completed")]), on);
  expect(place.lines().map(({ action }) => action)).toEqual(["completed"]);
});

it("tells of what stands in the way where a call failed", async () => {
  const place = hookPlace();
  const push: Call = { name: "Bash", input: { command: "git push" }, failed: true };
  await place.hook("a", "Stop", turn(place, [push], "I can't push: I don't have access to the remote."), on);
  expect(place.lines().map(({ action, topic }) => [action, topic])).toEqual([
    ["blocked", "I can't push: I don't have access to the remote"],
  ]);
});

it("guesses once in five minutes, each terminal for itself", async () => {
  const place = hookPlace();
  await place.hook("a", "Stop", turn(place, [commit]), on);
  await place.hook("a", "Stop", turn(place, [commit], "I fixed the logout too."), on);
  await place.hook("b", "Stop", turn(place, [commit], "I fixed the menu."), on);
  expect(place.lines().map(({ topic }) => topic)).toEqual([
    "I fixed the token refresh in src/auth.ts",
    "I fixed the menu",
  ]);
});
