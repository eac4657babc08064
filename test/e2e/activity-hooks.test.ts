/** The plugin in the real CLI: what one terminal reports, the others learn. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { addHooks, ownHookCommand } from "../../src/cli/settings/hook-settings.ts";
import { sequence, text, toolUse } from "../../src/testing/index.ts";
import { desk, type Desk, type LogLine } from "./terminal.ts";

function block(action: string, topic: string, affects: string): string {
  return [
    "I did it.",
    "",
    "```pool",
    `ACTION: ${action}`,
    `TOPIC: ${topic}`,
    "SUMMARY: As agreed.",
    `AFFECTS: ${affects}`,
    "```",
  ].join("\n");
}

/** What the hooks put before the model in the first request with this prompt. */
async function told({ api }: Desk, prompt: string): Promise<string> {
  const { userText } = await api.waitForRequest(prompt);
  return userText;
}

function brief(lines: readonly LogLine[]): readonly unknown[] {
  return lines.map(({ source_instance, action, topic }) => [source_instance, action, topic]);
}

it("puts what terminal A finished into terminal B's first request", async () => {
  const place = await desk();
  place.api.on("Fix the auth bug", text(block("completed", "Auth token refresh fix", "src/auth.ts")));
  await place.ask("Fix the auth bug", { instance: "A" });

  await place.ask("What shall I do?", { instance: "B" });

  expect(await told(place, "What shall I do?")).toContain("- [A] completed: Auth token refresh fix");
});

it.each<readonly [string, (place: Desk) => Promise<void>]>([
  [
    "hooks that were installed into settings",
    async ({ home }) => {
      addHooks(join(home, ".claude", "settings.json"), ownHookCommand(), true);
    },
  ],
  [
    "a plugin that was installed from the marketplace",
    async (place) => {
      await place.plugin("marketplace", "add", fileURLToPath(new URL("../..", import.meta.url)));
      await place.plugin("install", "pool@claude-pool");
    },
  ],
])("does the same with %s", async (_, install) => {
  const place = await desk();
  await install(place);
  place.api.on("Fix the auth bug", text(block("completed", "Auth token refresh fix", "src/auth.ts")));
  await place.ask("Fix the auth bug", { instance: "A", bare: true });

  await place.ask("What shall I do?", { instance: "B", bare: true });

  expect(await told(place, "What shall I do?")).toContain("- [A] completed: Auth token refresh fix");
});

it("calls a terminal by the title of its session", async () => {
  const place = await desk();
  place.api.otherwise(text(block("completed", "Auth fix", "src/auth.ts")));

  await place.ask("Fix it", { args: ["--name", "login rework"] });

  expect(brief(place.log())).toEqual([["login-rework", "completed", "Auth fix"]]);
});

it("writes what a subagent reports under its terminal's name", async () => {
  const place = await desk();
  const order = { description: "Look", prompt: "look into the cache", subagent_type: "general-purpose" };
  place.api.on("delegate it", toolUse("Agent", order), text("It is done."));
  place.api.on("look into the cache", text(block("signaling", "Cache is cold", "src/cache.ts")));

  await place.ask("delegate it", { instance: "A" });

  expect(brief(place.log())).toEqual([["A.general-purp", "signaling", "Cache is cold"]]);
});

it("writes what an answer reports once, over three stops", async () => {
  const place = await desk();
  place.api.otherwise(text(block("completed", "Auth fix", "src/auth.ts")));
  const terminal = await place.open({ instance: "A" });

  for (const prompt of ["one", "two", "three"]) await terminal.say(prompt);

  await terminal.close();
  expect(brief(place.log())).toEqual([["A", "completed", "Auth fix"]]);
});

it("writes down a block that stands before the turn's last tool call", async () => {
  const place = await desk();
  const tool = toolUse(
    "Read",
    { file_path: join(place.work, "none") },
    { text: block("signaling", "Found it", "a.ts") },
  );
  place.api.on("look", tool, text("There is nothing else."));

  await place.ask("look", { instance: "A" });

  expect(brief(place.log())).toEqual([["A", "signaling", "Found it"]]);
});

it("brings news into the middle of a conversation, once", async () => {
  const place = await desk();
  place.api.on("report", text(block("blocked", "No database", "db/")));
  const terminal = await place.open({ instance: "B" });
  await terminal.say("first");
  await place.ask("report", { instance: "A" });

  for (const prompt of ["second", "third"]) await terminal.say(prompt);

  await terminal.close();
  const texts = await Promise.all(["first", "second", "third"].map((prompt) => told(place, prompt)));
  expect(texts.map((one) => one.includes("[A] blocked: No database"))).toEqual([false, true, false]);
});

describe("a claim", () => {
  /** Terminal A holds notes.txt and stays open. */
  async function claimed(): Promise<{ place: Desk; terminal: Awaited<ReturnType<Desk["open"]>> }> {
    const place = await desk();
    writeFileSync(join(place.work, "notes.txt"), "old\n");
    place.api.on("take the notes", text(block("claimed", "Notes rework", "notes.txt")));
    const write = toolUse("Write", { file_path: join(place.work, "notes.txt"), content: "new\n" });
    const read = toolUse("Read", { file_path: join(place.work, "notes.txt") });
    place.api.on("edit the notes", read, write, text("Edited."));
    const terminal = await place.open({ instance: "A" });
    await terminal.say("take the notes");
    return { place, terminal };
  }

  /** All that the model was told while terminal B edited the notes. */
  async function editedByB(place: Desk): Promise<string> {
    const before = place.api.requests.length;
    await place.ask("edit the notes", { instance: "B" });
    return JSON.stringify(place.api.requests.slice(before).map(({ body }) => body));
  }

  const note = /notes\.txt is claimed by A, \d+s ago, for \\+"Notes rework\\+"\. Its reason: \\+"As agreed\.\\+"/u;

  it("is named before an edit by another, and no more once its terminal is closed", async () => {
    const { place, terminal } = await claimed();
    const during = await editedByB(place);
    await terminal.close();

    const after = await editedByB(place);

    expect([note.test(during), note.test(after), brief(place.log())]).toEqual([
      true,
      false,
      [
        ["A", "claimed", "Notes rework"],
        ["A", "released", "Notes rework"],
      ],
    ]);
  });

  it("goes on over /clear, after which the terminal is told all of it anew", async () => {
    const { place, terminal } = await claimed();
    await terminal.say("/clear");
    await terminal.say("hello again");

    const during = await editedByB(place);

    await terminal.close();
    expect([
      (await told(place, "hello again")).includes("- [A] claimed: Notes rework"),
      note.test(during),
      brief(place.log()),
    ]).toEqual([
      true,
      true,
      [
        ["A", "claimed", "Notes rework"],
        ["A", "claimed", "Notes rework"],
        ["A", "released", "Notes rework"],
        ["A", "released", "Notes rework"],
      ],
    ]);
  });
});

describe("how a conversation begins", () => {
  /** Terminal B has seen "Old"; then A reports "New". */
  async function begun(): Promise<{ place: Desk; id: string }> {
    const place = await desk();
    place.api.on("report", sequence(text(block("completed", "Old", "a.ts")), text(block("completed", "New", "b.ts"))));
    await place.ask("report", { instance: "A" });
    const { session_id: id } = await place.ask("begin", { instance: "B" });
    await place.ask("report", { instance: "A" });
    return { place, id };
  }

  async function topicsTold(place: Desk, prompt: string): Promise<readonly boolean[]> {
    const request = await place.api.waitForRequest(prompt);
    const messages = (request.body as { readonly messages: readonly unknown[] }).messages;
    // A resumed conversation carries what it was told before; the new part is what counts.
    const last = JSON.stringify(messages.slice(messages.findIndex((one) => JSON.stringify(one).includes("ok")) + 1));
    return ["completed: Old", "completed: New"].map((topic) => last.includes(topic));
  }

  it.each([
    ["resume", ["--resume"], [false, true]],
    ["fork", ["--fork-session", "--resume"], [true, true]],
  ])("%s tells what it has not seen", async (_, args, expected) => {
    const { place, id } = await begun();

    await place.ask("go on", { instance: "B", args: [...args, id] });

    expect(await topicsTold(place, "go on")).toEqual(expected);
  });

  it("compact tells all of it anew", async () => {
    const place = await desk();
    place.api.on("report", text(block("completed", "Old", "a.ts")));
    await place.ask("report", { instance: "A" });
    const terminal = await place.open({ instance: "B" });
    await terminal.say("begin");
    await terminal.say("/compact");

    await terminal.say("after it");

    await terminal.close();
    expect(await told(place, "after it")).toContain("completed: Old");
  });
});

it("guesses from what the turn's calls bear out, in automatic mode", async () => {
  const place = await desk();
  const command =
    'git init -q && git -c user.name=T -c user.email=t@example.org commit -q --allow-empty -m "Log in again"';
  place.api.on(
    "Fix the login",
    toolUse("Bash", { command, description: "Commit" }),
    text("The login works again. I committed the fix."),
  );
  place.api.on(
    "Fix the logout",
    toolUse("Bash", { command: "git push", description: "Push" }),
    text("I committed the fix."),
  );
  const options = { args: ["--allowedTools", "Bash"], env: { POOL_AUTO: "1", GIT_CONFIG_GLOBAL: "/dev/null" } };

  await place.ask("Fix the logout", { instance: "B", ...options });
  await place.ask("Fix the login", { instance: "A", ...options });

  expect(
    place.log().map(({ source_instance, action, topic, origin }) => [source_instance, action, topic, origin]),
  ).toEqual([["A", "completed", "The login works again", "auto"]]);
});
