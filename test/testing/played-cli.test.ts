import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { query, type SDKMessage, type SDKUserMessage } from "@anthropic-ai/claude-agent-sdk";
import { expect, test } from "vitest";
import { temporaryFolder } from "./real-claude.ts";

const bin = join(import.meta.dirname, "..", "fixtures", "bin");

/** One fixture, opened by the Agent SDK as the pool opens the real CLI. */
interface Played extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly stderr: () => string;
  readonly interrupt: () => Promise<unknown>;
  /** Resolves to every message up to and including the result; rejects as the SDK does. */
  readonly turn: (prompt: string) => Promise<readonly SDKMessage[]>;
  /** Resolves to the next message. */
  readonly next: () => Promise<SDKMessage>;
  readonly say: (prompt: string) => void;
}

interface PlayOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly maxBudgetUsd?: number;
}

function play(fixture: string, home: string, options: PlayOptions = {}): Played {
  const inbox: SDKUserMessage[] = [];
  let wake = Promise.withResolvers<void>();
  let child: ChildProcess | undefined;
  let stderr = "";
  async function* prompts(): AsyncGenerator<SDKUserMessage> {
    while (true) {
      yield* inbox.splice(0);
      await wake.promise;
      wake = Promise.withResolvers();
    }
  }
  const conversation = query({
    prompt: prompts(),
    options: {
      cwd: home,
      env: { PATH: process.env.PATH, HOME: home, ...options.env },
      pathToClaudeCodeExecutable: join(bin, fixture),
      permissionMode: "acceptEdits",
      ...(options.maxBudgetUsd === undefined ? {} : { maxBudgetUsd: options.maxBudgetUsd }),
      stderr: (text) => (stderr += text),
      spawnClaudeCodeProcess: ({ command, args, cwd, env }) => {
        const spawned = spawn(command, args, { cwd, env, stdio: ["pipe", "pipe", "pipe"] });
        spawned.stderr.on("data", (text: Buffer) => (stderr += text.toString()));
        // What the SDK writes after the end of the process has nowhere to go.
        spawned.stdin.on("error", () => undefined);
        child = spawned;
        return spawned;
      },
    },
  });
  const messages = conversation[Symbol.asyncIterator]();
  if (child === undefined) throw new Error("The SDK spawned nothing.");
  const opened = child;
  const gone = once(opened, "exit");
  const say = (prompt: string): void => {
    const message = { role: "user" as const, content: prompt };
    inbox.push({ type: "user", message, parent_tool_use_id: null, uuid: randomUUID(), session_id: "" });
    wake.resolve();
  };
  const next = async (): Promise<SDKMessage> => {
    const step = await messages.next();
    if (step.done === true) throw new Error("The stream ended without a result.");
    return step.value;
  };
  return {
    child: opened,
    stderr: () => stderr,
    interrupt: () => conversation.interrupt(),
    say,
    next,
    turn: async (prompt) => {
      say(prompt);
      const heard: SDKMessage[] = [];
      while (heard.at(-1)?.type !== "result") heard.push(await next());
      return heard;
    },
    [Symbol.asyncDispose]: async () => {
      conversation.close();
      opened.kill("SIGKILL");
      await gone;
    },
  };
}

function resultOf(messages: readonly SDKMessage[]): Readonly<Record<string, unknown>> {
  return messages.at(-1) as unknown as Record<string, unknown>;
}

/** What of a result the tests compare. */
function summary(messages: readonly SDKMessage[]): unknown {
  const { subtype, result, total_cost_usd, user_message_uuid, model_usage_since_last_result } = resultOf(messages);
  return {
    subtype,
    result,
    costUsd: total_cost_usd,
    namesPrompt: user_message_uuid !== undefined,
    hasOwnCost: model_usage_since_last_result !== undefined,
  };
}

test("the old CLI's results name no prompt, and /clear resets neither its cost nor its cap", async () => {
  await using home = await temporaryFolder();
  await using cli = play("old-cli", home.path, { maxBudgetUsd: 0.5 });

  const turns = [];
  for (const prompt of ["costs 0.2", "/clear", "costs 0.4", "/clear", "more"]) turns.push(await cli.turn(prompt));

  const old = { namesPrompt: false, hasOwnCost: false };
  expect(turns.map(summary)).toEqual([
    { subtype: "success", result: "Played: costs 0.2", costUsd: 0.2, ...old },
    { subtype: "success", result: "", costUsd: 0.2, ...old },
    { subtype: "error_max_budget_usd", result: undefined, costUsd: expect.closeTo(0.6) as number, ...old },
    { subtype: "success", result: "", costUsd: expect.closeTo(0.6) as number, ...old },
    { subtype: "error_max_budget_usd", result: undefined, costUsd: expect.closeTo(0.6) as number, ...old },
  ]);
});

test("the old CLI ends a slow turn when it is interrupted", async () => {
  await using home = await temporaryFolder();
  await using cli = play("old-cli", home.path);

  cli.say("slow");
  await cli.next();
  await cli.interrupt();
  const heard = [await cli.next()];
  while (heard.at(-1)?.type !== "result") heard.push(await cli.next());

  expect([resultOf(heard).subtype, resultOf(heard).terminal_reason]).toEqual([
    "error_during_execution",
    "aborted_streaming",
  ]);
});

test("crash-on-open dies with its stderr and code 3", async () => {
  await using home = await temporaryFolder();
  await using cli = play("crash-on-open", home.path);

  await expect(cli.turn("hello")).rejects.toThrow("3");

  expect(cli.stderr()).toContain("settings cannot be read");
});

test("crash-in-turn dies after it began to answer", async () => {
  await using home = await temporaryFolder();
  await using cli = play("crash-in-turn", home.path);

  await expect(cli.turn("hello")).rejects.toThrow("1");

  expect(cli.stderr()).toContain("out of memory");
});

test("with FIXTURE_ONCE only the first process misbehaves", async () => {
  await using home = await temporaryFolder();
  const env = { FIXTURE_ONCE: join(home.path, "once") };
  await using first = play("crash-in-turn", home.path, { env });
  await expect(first.turn("hello")).rejects.toThrow("1");

  await using second = play("crash-in-turn", home.path, { env });

  expect(resultOf(await second.turn("hello")).result).toEqual("Played: hello");
});

test("hang-in-turn answers an interrupt, and still ends no turn", async () => {
  await using home = await temporaryFolder();
  await using cli = play("hang-in-turn", home.path);
  const turn = cli.turn("hello");

  await cli.interrupt();
  cli.child.kill("SIGTERM");

  await expect(turn).rejects.toThrow();
});

test("garbage-on-stdout still answers after its garbage", async () => {
  await using home = await temporaryFolder();
  await using cli = play("garbage-on-stdout", home.path);

  expect(resultOf(await cli.turn("hello")).result).toEqual("Played: hello");
});

test("flood says as much as it was told to, and a result of a megabyte", async () => {
  await using home = await temporaryFolder();
  await using cli = play("flood", home.path, { env: { FIXTURE_FLOOD_MB: "3" } });

  const messages = await cli.turn("hello");

  const said = messages.filter(({ type }) => type === "assistant").map((message) => JSON.stringify(message).length);
  expect([said.reduce((sum, size) => sum + size, 0) > 3_000_000, String(resultOf(messages).result).length]).toEqual([
    true,
    1_048_608,
  ]);
});

test("deaf-to-term lives on after every polite signal", async () => {
  await using home = await temporaryFolder();
  await using cli = play("deaf-to-term", home.path);
  cli.say("hello");
  await cli.next();

  const { pid } = cli.child;
  if (pid === undefined) throw new Error("The fixture was not spawned.");
  // Not through `child.kill`: after that the SDK takes the process for ended and writes no more to it.
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.kill(pid, signal);
  await cli.interrupt(); // answered: it lives
  const exited = once(cli.child, "exit");
  cli.child.kill("SIGKILL");

  expect(await exited).toEqual([null, "SIGKILL"]);
});

test("grandchild leaves a process in a session of its own behind", async () => {
  await using home = await temporaryFolder();
  await using cli = play("grandchild", home.path);
  const pid = Number(String(resultOf(await cli.turn("hello")).result).replace("grandchild ", ""));

  const exited = once(cli.child, "exit");
  cli.child.kill("SIGKILL");
  await exited;
  const isAlive = process.kill(pid, 0);
  process.kill(pid, "SIGKILL");

  expect(isAlive).toEqual(true);
});

test("rate-limited is rejected until the year 2100", async () => {
  await using home = await temporaryFolder();
  await using cli = play("rate-limited", home.path);

  const messages = await cli.turn("hello");

  const limit = messages.find(({ type }) => type === "rate_limit_event");
  expect([limit, resultOf(messages)]).toMatchObject([
    { rate_limit_info: { status: "rejected", resetsAt: Date.UTC(2100, 0, 1) / 1000 } },
    { is_error: true, api_error_status: 429 },
  ]);
});

test("no-result ends properly without one", async () => {
  await using home = await temporaryFolder();
  await using cli = play("no-result", home.path);

  await expect(cli.turn("hello")).rejects.toThrow("without a result");
});

test("every fixture answers --version like the CLI it plays", async () => {
  const fixtures = ["crash-on-open", "deaf-to-term", "flood", "old-cli"];

  const answers = await Promise.all(fixtures.map((fixture) => versionOf(join(bin, fixture))));

  expect(answers).toEqual([...fixtures.slice(1).map(() => "2.1.328 (Claude Code)\n"), "2.1.197 (Claude Code)\n"]);
});

test("the recordings hold nothing of the machine that made them", () => {
  const recordings = ["2.1.197", "2.1.328"].map((version) =>
    readFileSync(join(bin, `recorded-${version}.json`), "utf8"),
  );

  expect(recordings.filter((text) => /\/tmp\/|\/root\/|claude-pool-record-/.test(text))).toEqual([]);
});

async function versionOf(program: string): Promise<string> {
  const child = spawn(program, ["--version"], { stdio: ["ignore", "pipe", "inherit"] });
  let out = "";
  child.stdout.on("data", (text: Buffer) => (out += text.toString()));
  await once(child, "close");
  return out;
}
