/** What a client reads, is told about, is offered and has completed; on every revision, or on both of the eras. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { held, scriptedPool } from "../engine/scripted-pool.ts";
import { connected, newest, ways, type Connected, type Fields } from "./rig.ts";

async function read(here: Connected, uri: string): Promise<Fields> {
  const { contents } = await here.client.readResource({ uri });
  const [first] = contents as readonly { readonly text?: string; readonly mimeType?: string }[];
  return first?.mimeType === "application/json" ? (JSON.parse(first.text ?? "") as Fields) : { text: first?.text };
}

describe.each(ways)("over %s on revision %s", (transport, revision) => {
  test("every resource is listed or has a template, and can be read", async () => {
    const here = await connected({
      transport,
      revision,
      pool: { slots: [{ name: "Ada", role: "reviewer" }], budgetUsd: 5 },
    });
    const task = await here.pool.submit("work", { tags: ["t"] });
    await task.outcome();
    const chain = await here.pool.submitChain([{ name: "a", prompt: "x" }]);
    await chain.outcome();
    await here.pool.setContext("a key/&?", "value");
    const { resources } = await here.client.listResources();
    const { resourceTemplates } = await here.client.listResourceTemplates();
    const events = await read(here, "pool://events");
    expect({
      listed: resources.map((one) => one.uri),
      templates: resourceTemplates.map((one) => one.uriTemplate.replace(/[/{].*$/, "").replace("pool:", "")).length,
      status: (await read(here, "pool://status")).completed_tasks,
      slots: (await read(here, "pool://slots/slot-1")).id,
      workers: Array.isArray(await read(here, "pool://workers")),
      requests: Array.isArray(await read(here, "pool://requests")),
      budget: await read(here, "pool://budget"),
      context: await read(here, "pool://context"),
      value: await read(here, `pool://context/${encodeURIComponent("a key/&?")}`),
      task: (await read(here, `pool://tasks/${task.id}`)).tags,
      tasks: ((await read(here, "pool://tasks?tag=t")).tasks as Fields[]).map((one) => one.id),
      result: ((await read(here, `pool://results/${task.id}`)).result as Fields).output,
      part: await read(here, `pool://results/${task.id}?from=1`),
      chain: (await read(here, `pool://chains/${chain.id}`)).status,
      skill: (await read(here, "pool://skills/summarize")).name,
      events: (events.events as Fields[]).length > 5,
      after: (await read(here, `pool://events?after=${String(events.next)}`)).events,
      ofTask: ((await read(here, `pool://events?task_id=${task.id}`)).events as Fields[]).map((one) => one.type),
    }).toMatchObject({
      listed: [
        ...["status", "slots", "budget", "context", "requests", "events", "tasks", "skills", "merges", "worktrees"].map(
          (name) => `pool://${name}`,
        ),
        "pool://slots/slot-1",
      ],
      templates: 13,
      status: 2,
      slots: "slot-1",
      workers: true,
      requests: true,
      budget: {
        cap_microdollars: 5_000_000,
        spent_microdollars: 2_000,
        remaining_microdollars: 4_998_000,
        slots: [{ id: "slot-1", cost_microdollars: 2_000, tasks_completed: 2 }],
      },
      context: { context: { "a key/&?": "value" } },
      value: { text: "value" },
      task: ["t"],
      tasks: [task.id],
      result: "ok",
      part: { text: "k" },
      chain: "completed",
      skill: "summarize",
      events: true,
      after: [],
      ofTask: ["task.submitted", "task.started", "task.output", "task.finished"],
    });
  });

  test("there is a prompt for each skill, rendered as the pool renders it, those of later too", async () => {
    const here = await connected({ transport, revision });
    await here.pool.skills.add({
      name: "greet",
      description: "d",
      prompt: "Hello {who}, $ARGUMENTS and $0",
      arguments: [{ name: "who", required: true }],
    });
    const { prompts } = await here.client.listPrompts();
    const { messages } = await here.client.getPrompt({ name: "greet", arguments: { who: "Ada {who}" } });
    const { prompt } = await here.pool.skills.spec("greet", { who: "Ada {who}" });
    const skills = await here.pool.skills.list();
    expect({
      names: prompts.map((one) => one.name),
      greet: prompts.find((one) => one.name === "greet")?.arguments,
      text: messages[0]?.content,
      missing: await here.client.getPrompt({ name: "greet", arguments: {} }).catch((error: unknown) => String(error)),
      unknown: await here.client.getPrompt({ name: "gret", arguments: {} }).catch((error: unknown) => String(error)),
    }).toEqual({
      names: skills.map((skill) => skill.name),
      greet: [{ name: "who", required: true }],
      text: { type: "text", text: prompt },
      missing: expect.stringContaining('needs the argument "who"') as unknown,
      unknown: expect.stringContaining('Did you mean "greet"?') as unknown,
    });
  });

  test("ids and names are completed from what there is", async () => {
    const here = await connected({ transport, revision, pool: { slots: 2 } });
    const task = await here.pool.submit("x", { tags: ["nightly"] });
    await task.outcome();
    await here.pool.setContext("topic", "x");
    const complete = async (uri: string, name: string, value: string): Promise<readonly string[]> =>
      (await here.client.complete({ ref: { type: "ref/resource", uri }, argument: { name, value } })).completion.values;
    const ofPrompt = await here.client.complete({
      ref: { type: "ref/prompt", name: "summarize" },
      argument: { name: "target", value: "" },
    });
    expect([
      await complete("pool://tasks/{id}{?from}", "id", "task-"),
      await complete("pool://results/{task_id}{?from}", "task_id", "chain-"),
      await complete("pool://slots/{id}", "id", "slot-"),
      await complete("pool://context/{key}{?from}", "key", "to"),
      await complete("pool://skills/{name}{?from}", "name", "summ"),
      await complete("pool://tasks{?tag,state,after}", "tag", "n"),
      await complete("pool://tasks{?tag,state,after}", "state", "pending"),
      ofPrompt.completion.values,
    ]).toEqual([
      [task.id],
      [],
      ["slot-1", "slot-2"],
      ["topic"],
      ["summarize"],
      ["nightly"],
      ["pending", "pending_review"],
      [],
    ]);
  });

  test("an address that names nothing is an error that says which", async () => {
    const here = await connected({ transport, revision });
    const asked = (uri: string): Promise<unknown> =>
      here.client.readResource({ uri }).catch((error: unknown) => String(error));
    expect([
      await asked("pool://results/task-000000000000"),
      await asked("pool://nothing"),
      await asked("file:///etc/passwd"),
      await asked("pool://context/%zz"),
      await asked("pool://tasks?after=-1"),
      await asked("pool://tasks?state=done"),
    ]).toEqual([
      expect.stringContaining("task-000000000000"),
      expect.stringContaining("pool://nothing"),
      expect.stringContaining("file:///etc/passwd"),
      expect.stringContaining("pool://context/%zz"),
      expect.stringContaining("after: expected a whole number"),
      expect.stringContaining("state: expected one of"),
    ]);
  });
});

interface Ear {
  /** Addresses that were told of, and `resources` and `prompts` for the lists. */
  readonly seen: ReadonlySet<string>;
  readonly until: (...what: readonly string[]) => Promise<void>;
}

function earOf({ client }: Connected): Ear {
  const seen = new Set<string>();
  let wake: () => void = () => undefined;
  const note = (what: string): void => {
    seen.add(what);
    wake();
  };
  client.setNotificationHandler("notifications/resources/updated", ({ params }) => note(params.uri));
  client.setNotificationHandler("notifications/resources/list_changed", () => note("resources"));
  client.setNotificationHandler("notifications/prompts/list_changed", () => note("prompts"));
  return {
    seen,
    async until(...what) {
      while (!what.every((one) => seen.has(one))) await new Promise<void>((resolve) => (wake = resolve));
    },
  };
}

describe("a client that subscribes", () => {
  const skill = { name: "greet", description: "d", prompt: "Hello" };

  test("on a revision before the newest is told of what it subscribed to and of nothing else", async () => {
    const gate = held<string>();
    const here = await connected({ revision: "2025-06-18", script: () => gate.promise });
    const task = await here.pool.submit("work");
    const ear = earOf(here);
    const wanted = [`pool://results/${task.id}`, "pool://context"];
    for (const uri of [...wanted, "pool://budget"]) await here.client.subscribeResource({ uri });
    await here.client.unsubscribeResource({ uri: "pool://budget" });
    gate.release("done");
    await here.pool.setContext("a", "b");
    await here.pool.skills.add(skill);
    await here.pool.scaleUp(1);
    await ear.until(...wanted, "prompts", "resources");
    expect([...ear.seen].sort()).toEqual([...wanted, "prompts", "resources"].sort());
  });

  test("subscribes to so many addresses only, and to more once it gave some up", async () => {
    const { client } = await connected({ revision: "2025-06-18" });
    const uriOf = (index: number): string => `pool://context/${String(index)}`;
    for (let index = 0; index < 1_000; index += 1) await client.subscribeResource({ uri: uriOf(index) });
    const again = await client.subscribeResource({ uri: uriOf(0) });
    const said = await client.subscribeResource({ uri: uriOf(1_000) }).catch((error: unknown) => String(error));
    await client.unsubscribeResource({ uri: uriOf(0) });
    const free = await client.subscribeResource({ uri: uriOf(1_000) });
    expect([again, said, free]).toEqual([
      {},
      expect.stringContaining(
        "1000 resources at once are the most that one session may subscribe to: unsubscribe from some first.",
      ),
      {},
    ]);
  });

  test("is refused an address that is longer than any resource's", async () => {
    const { client } = await connected({ revision: "2025-06-18" });
    const uri = `pool://context/${"a".repeat(10_000)}`;
    await expect(client.subscribeResource({ uri })).rejects.toThrow("uri: at most 4096 characters, got 10015.");
  });

  test("on the newest revision listens, and is told of what it asked for and of nothing else", async () => {
    const gate = held<string>();
    const here = await connected({ revision: newest, script: () => gate.promise });
    const task = await here.pool.submit("work");
    const ear = earOf(here);
    const uris = [`pool://tasks/${task.id}`, "pool://context/a"];
    const listening = await here.client.listen({
      resourceSubscriptions: uris,
      promptsListChanged: true,
      resourcesListChanged: true,
    });
    gate.release("done");
    await here.pool.setContext("a", "b");
    await here.pool.skills.add(skill);
    await here.pool.scaleUp(1);
    await ear.until(...uris, "prompts", "resources");
    await listening.close();
    expect([...ear.seen].sort()).toEqual([...uris, "prompts", "resources"].sort());
  });

  test("is told of what another opening of the pool did", async () => {
    const folder = mkdtempSync(join(tmpdir(), "claude-pool-mcp-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const store = join(folder, "pool.db");
    const here = await connected({ pool: { store } });
    const other = await scriptedPool({ store, slots: 0 });
    const ear = earOf(here);
    await here.client.subscribeResource({ uri: "pool://context" });
    await other.pool.setContext("from", "elsewhere");
    await ear.until("pool://context");
    expect((await here.client.readResource({ uri: "pool://context" })).contents).toMatchObject([
      { text: '{"context":{"from":"elsewhere"}}' },
    ]);
  });
});
