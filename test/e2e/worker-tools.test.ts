import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { Pool } from "../../src/pool.ts";
import { text, toolUse, type LoggedRequest } from "../../src/testing/index.ts";
import { place, realPool, type Place } from "./real-pool.ts";

/** All that the model was told of its tools, for this prompt. */
function told(here: Place, prompt: string): string {
  const requests = here.api.requests.filter((request: LoggedRequest) => request.prompt.includes(prompt));
  return JSON.stringify(messagesOf(requests.at(-1)));
}

function messagesOf(request: LoggedRequest | undefined): readonly unknown[] {
  return (request?.body as { readonly messages?: readonly unknown[] } | undefined)?.messages ?? [];
}

function toolsOf(here: Place, prompt: string): readonly string[] {
  const request = here.api.requests.find((one: LoggedRequest) => one.prompt.includes(prompt));
  const { tools = [] } = request?.body as { tools?: readonly { readonly name: string }[] };
  return tools.map(({ name }) => name).filter((name) => name.startsWith("mcp__"));
}

async function eventsOf(pool: Pool, type: string): Promise<readonly unknown[]> {
  return (await pool.eventsAfter(0, 1_000)).filter((event) => event.type === type).map(({ data }) => data);
}

describe("a worker's own tools on the real CLI", () => {
  test.each(["plan", "default", "dontAsk"] as const)(
    "write a message, tell progress and read the context, in mode %s, and submit nothing",
    async (permissionMode) => {
      const here = await place();
      here.api.on(
        "do your part",
        toolUse("mcp__pool__post_message", { to: "coordinator", content: "the schema is wrong" }),
        toolUse("mcp__pool__report_progress", { text: "half of it", percent: 50 }),
        toolUse("mcp__pool__read_context", { key: "branch" }),
        toolUse("mcp__pool__submit_task", { prompt: "more" }),
        text("done"),
      );
      const pool = await realPool(here, { permissionMode, workerTools: true });
      await pool.setContext("branch", "main-line");
      const task = await pool.submit("do your part");
      const { state } = await task.outcome();
      const messages = await pool.readMessages();
      const runId = (await task.get()).runId;
      expect({
        state,
        messages: messages.map(({ from, content }) => [from, content]),
        progress: await eventsOf(pool, "task.progress"),
        context: told(here, "do your part").includes("main-line"),
        tasks: (await pool.list()).tasks.length,
        tools: toolsOf(here, "do your part"),
      }).toEqual({
        state,
        messages: [["slot-1", "the schema is wrong"]],
        progress: [{ runId, text: "half of it", percent: 50 }],
        context: true,
        tasks: 1,
        tools: [
          "mcp__pool__ask_coordinator",
          "mcp__pool__post_message",
          "mcp__pool__read_context",
          "mcp__pool__read_messages",
          "mcp__pool__report_progress",
        ],
      });
    },
  );

  test("are there only for tasks that have them, and serve each run in a warm process", async () => {
    const here = await place();
    here.api.on("first", toolUse("mcp__pool__report_progress", { text: "one" }), text("done"));
    here.api.on("second", toolUse("mcp__pool__report_progress", { text: "two" }), text("done"));
    const pool = await realPool(here, {});
    const first = await pool.submit("first", { workerTools: ["progress"] });
    await first.outcome();
    const pid = (await pool.findSlots())[0]?.process?.pid;
    const second = await pool.submit("second", { workerTools: ["progress"] });
    await second.outcome();
    const samePid = (await pool.findSlots())[0]?.process?.pid === pid;
    await pool.run("third");
    const [one, two] = [(await first.get()).runId, (await second.get()).runId];
    expect([await eventsOf(pool, "task.progress"), samePid, toolsOf(here, "third")]).toEqual([
      [
        { runId: one, text: "one" },
        { runId: two, text: "two" },
      ],
      true,
      [],
    ]);
  });

  test("put a question to the coordinator and get the answer, from another process", async () => {
    const here = await place();
    here.api.on("choose", toolUse("mcp__pool__ask_coordinator", { question: "Which of the two?" }), text("done"));
    await realPool(here, { workerTools: ["ask"] });
    const other = await realPool(here, { slots: 0 });
    const task = await other.submit("choose");
    for await (const event of other.events({ after: 0 })) {
      if (event.type !== "question.asked") continue;
      await other.requests.answer(event.data.requestId, "The second, by far.");
      break;
    }
    const [request] = await other.requests.list({ all: true });
    await task.outcome();
    expect([request?.question, told(here, "choose").includes("The second, by far.")]).toEqual([
      "Which of the two?",
      true,
    ]);
  });

  test("go on without an answer when nobody gives one in time", async () => {
    const here = await place();
    const ask = toolUse("mcp__pool__ask_coordinator", { question: "Which?", timeout_secs: 0.1 });
    here.api.on("choose", ask, text("done"));
    const pool = await realPool(here, { workerTools: ["ask"] });
    const { state } = await (await pool.submit("choose")).outcome();
    const [request] = await pool.requests.list({ all: true });
    expect([state, request?.state, told(here, "choose").includes("Nobody answered within 0.1 s")]).toEqual([
      "completed",
      "closed",
      true,
    ]);
  });

  test("give messages that come while the task runs, each once", async () => {
    const here = await place();
    const read = toolUse("mcp__pool__read_messages", {});
    here.api.on("listen", read, read, text("done"));
    const pool = await realPool(here, { workerTools: ["messages"], slots: [{ pull: true }] });
    await pool.sendMessage({ to: "slot-1", content: "before the task" });
    const task = await pool.submit("listen");
    await pool.claim("slot-1");
    await task.outcome();
    const said = told(here, "listen");
    expect([
      said.split("before the task").length - 1,
      said.includes('"[]"') || said.includes("[]"),
      await pool.messageCount("slot-1"),
    ]).toEqual([1, true, 0]);
  });
});

describe("a worker that may dispatch", () => {
  test("submits a task that may do no more than itself, reads its result, and its task may not go deeper", async () => {
    const here = await place();
    const submit = (prompt: string) => toolUse("mcp__pool__submit_task", { prompt });
    here.api.on(
      "lead the work",
      submit("dig deeper"),
      (request) => {
        const id =
          /task-[0-9a-z]{12}/.exec(JSON.stringify(messagesOf(request)).split("task_id").at(-1) ?? "")?.[0] ?? "";
        return toolUse("mcp__pool__task_result", { task_id: id, wait_secs: 20 });
      },
      text("led"),
    );
    here.api.on("dig deeper", submit("too deep"), text("dug"));
    const pool = await realPool(here, { slots: 2, permissionMode: "acceptEdits" });
    const task = await pool.submit("lead the work", { mayDispatch: true, permissionMode: "plan", tags: ["lead"] });
    await task.outcome();
    const { tasks } = await pool.list({ order: "oldest" });
    const [parent, child] = tasks;
    expect({
      tasks: tasks.map(({ prompt, state, depth }) => [prompt, state, depth]),
      child: [child?.parentTaskId === parent?.id, child?.config?.permissionMode],
      result: told(here, "lead the work").includes("dug"),
      refused: told(here, "dig deeper").includes("depth_exceeded"),
    }).toEqual({
      tasks: [
        ["lead the work", "completed", undefined],
        ["dig deeper", "completed", 1],
      ],
      child: [true, "plan"],
      result: true,
      refused: true,
    });
  });

  test.each([
    [false, 4, "runs inside a slot of a pool", 1],
    [true, 0, "", 2],
  ])("with %s may run the program's submit from its shell: exit %i", async (mayDispatch, exit, said, tasks) => {
    const here = await place();
    const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
    const entry = `import { main } from ${JSON.stringify(main)}; process.exit(await main(process.argv.slice(1)))`;
    const call = (words: string): string =>
      `${process.execPath} --input-type=module -e '${entry}' -- ${words} --store ${here.store} > ${here.root}/out-$$ 2>&1; echo "exit $?"; cat ${here.root}/out-$$`;
    here.api.on(
      "use the shell",
      toolUse("Bash", { command: call("status") }),
      toolUse("Bash", { command: call("submit more") }),
      toolUse("Bash", { command: call("drain") }),
      text("done"),
    );
    const pool = await realPool(here, { slots: 1, allowedTools: ["Bash"] });
    await (await pool.submit("use the shell", { mayDispatch })).outcome();
    const words = told(here, "use the shell");
    const exits = [...words.matchAll(/exit (\d+)/g)].map(([, code]) => Number(code));
    const { shutdown } = await pool.status();
    expect({
      exits: exits.slice(-3),
      said: words.includes(said),
      tasks: (await pool.list()).tasks.length,
      shutdown,
    }).toEqual({ exits: [0, exit, 4], said: true, tasks, shutdown: false });
  });
});
