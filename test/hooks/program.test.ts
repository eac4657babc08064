/** The program stands in nobody's way: whatever it is given and wherever it runs, it exits 0 and says nothing it should not. */
import { globSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ownMark } from "../../src/activity/living.ts";
import { hookPlace, reporting, type Fields, type HookPlace } from "./place.ts";

const silent = { status: 0, stdout: "", stderr: "" };

function input(event: string, fields: Fields = {}): string {
  return JSON.stringify({ session_id: "s-1", hook_event_name: event, ...fields });
}

const stop = (place: HookPlace): string =>
  input("Stop", { cwd: place.work, ...reporting("ACTION: completed", "TOPIC: Auth fix") });

describe("exits 0 and says nothing", () => {
  it.each<readonly [string, string | Buffer]>([
    ["nothing", ""],
    ["what is no JSON", "hello"],
    ["half of a JSON", '{"session_id": "s'],
    ["a list", "[1, 2]"],
    ["null", "null"],
    ["an unknown event", input("Notification")],
    ["an event without a session", '{"hook_event_name": "Stop"}'],
    ["fields of wrong types", input("Stop", { cwd: 7, last_assistant_message: {}, transcript_path: [] })],
    ["bytes that are no text", Buffer.from([0xff, 0xfe, 0, 1])],
    ["100 MB", Buffer.alloc(100 * 1024 * 1024, "x")],
  ])("given %s", (_, stdin) => {
    expect(hookPlace().run(stdin)).toEqual(silent);
  });

  it.each<readonly [string, (place: HookPlace) => Readonly<Record<string, string>>]>([
    ["a home that cannot be written", () => ({ HOME: "/dev/null/none" })],
    ["a POOL_HOME where nothing can be made", () => ({ POOL_HOME: "/proc/claude-pool/log" })],
    ["a POOL_HOME that is a file", (place) => ({ POOL_HOME: join(place.root, "file") })],
    ["a POOL_HOME that is a link", (place) => ({ POOL_HOME: join(place.root, "link") })],
    ["no git and no PATH", () => ({ PATH: "" })],
    ["a project directory that is gone", (place) => ({ CLAUDE_PROJECT_DIR: join(place.root, "gone") })],
  ])("with %s", (_, env) => {
    const place = hookPlace();
    writeFileSync(join(place.root, "file"), "");
    mkdirSync(join(place.root, "elsewhere"));
    symlinkSync(join(place.root, "elsewhere"), join(place.root, "link"));
    const events = ["SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "SubagentStop", "SessionEnd"];
    const edit = { cwd: place.work, tool_input: { file_path: join(place.work, "a.ts") } };
    const texts = [...events.map((event) => input(event, edit)), stop(place)];
    expect(texts.map((text) => place.run(text, env(place)))).toEqual(texts.map(() => silent));
  });

  it("where its directory is gone", () => {
    const place = hookPlace();
    rmSync(place.work, { recursive: true });
    mkdirSync(place.work);
    expect(place.run(input("Stop", { cwd: join(place.root, "gone") }), { CLAUDE_PROJECT_DIR: "" })).toEqual(silent);
  });

  it("over a log of garbage, of which the good lines are still shown", () => {
    const place = hookPlace();
    const now = Date.now() / 1000;
    const good = { timestamp: now, source_instance: "A", action: "completed", topic: "Good" };
    place.write(
      "garbage",
      "[]",
      "null",
      '{"timestamp": {}}',
      { ...good, affects: [1], relevance: null, ttl: "x" },
      '{"torn',
    );
    const { status, stdout } = place.run(input("SessionStart", { cwd: place.work, source: "startup" }));
    expect([status, stdout.includes("- [A] completed: Good")]).toEqual([0, true]);
  });
});

it("writes what went wrong into one error log", () => {
  const place = hookPlace();
  place.run("hello");
  expect(place.errors()).toMatch(/^\S+Z a hook's input of 5 characters was none of ours\n$/u);
});

it("answers in one line of JSON, under the name of its event", () => {
  const place = hookPlace();
  place.run(stop(place), { CLAUDE_INSTANCE: "A" });
  const { stdout } = place.run(JSON.stringify({ session_id: "s-2", hook_event_name: "SessionStart", cwd: place.work }));
  const { hookSpecificOutput } = JSON.parse(stdout) as { readonly hookSpecificOutput: Fields };
  expect([
    hookSpecificOutput.hookEventName,
    String(hookSpecificOutput.additionalContext).includes("[A] completed: Auth fix"),
  ]).toEqual(["SessionStart", true]);
});

it("releases what the terminal held also while another holds the lock and does not let go", () => {
  const place = hookPlace();
  place.run(input("Stop", { cwd: place.work, ...reporting("ACTION: claimed", "TOPIC: Auth", "AFFECTS: a.ts") }));
  writeFileSync(join(place.pool, ".lock"), JSON.stringify({ ...ownMark(), nonce: "test" }));

  const ran = place.run(input("SessionEnd", { cwd: place.work, reason: "other" }));

  expect([ran, place.lines().map(({ action }) => action)]).toEqual([silent, ["claimed", "released"]]);
});

it("brings no secret to the disk", () => {
  const place = hookPlace();
  const secrets = [
    "sk-ant-api03-abcdefghijklmnopqrstuvwxyz",
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "hunter2hunter2",
  ];
  const said = reporting(
    "ACTION: completed",
    `TOPIC: Key ${secrets[0] ?? ""}`,
    `SUMMARY: ${secrets[1] ?? ""} and password=${secrets[2] ?? ""}`,
    `UNKNOWN: ${secrets[0] ?? ""}`,
  );
  place.run(input("SessionStart", { cwd: place.work, session_title: "T" }));
  place.run(input("UserPromptSubmit", { cwd: place.work, prompt: `use ${secrets.join(" ")}` }));
  place.run(input("Stop", { cwd: place.work, ...said }));
  const disk = readAll(place.pool);
  expect([secrets.filter((secret) => disk.includes(secret)), disk.includes("[redacted]")]).toEqual([[], true]);
});

function readAll(folder: string): string {
  const files = globSync(join(folder, "**"), { withFileTypes: true }).filter((file) => file.isFile());
  return files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), "utf8")).join("\n");
}
