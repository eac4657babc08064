/** What the pool is measured against: the Agent SDK and the CLI as anybody would use them without a pool. */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { text as readText } from "node:stream/consumers";
import { query, type SDKResultMessage, type SDKUserMessage } from "@anthropic-ai/claude-agent-sdk";
import { claudeEnvironment } from "../../src/runner/claude/environment.ts";
import { findExecutable } from "../../src/runner/claude/executable.ts";
import type { Model } from "./model.ts";

export const executable = findExecutable(undefined, process.env);

/** One open CLI process, driven by the SDK alone. */
export interface BareSession {
  /** One message, until its result. */
  turn(prompt: string): Promise<void>;
  /** `/clear`, until its result: what makes the next turn a fresh conversation. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

export async function openBareSession(model: Model): Promise<BareSession> {
  const outbox = new TransformStream<SDKUserMessage, SDKUserMessage>();
  const writer = outbox.writable.getWriter();
  const session = query({
    prompt: outbox.readable,
    options: {
      cwd: model.work,
      env: environment(model, "bare"),
      pathToClaudeCodeExecutable: executable,
      // As in a slot and under `claude -p`; without it the SDK sends a prompt of one line.
      systemPrompt: { type: "preset", preset: "claude_code" },
      permissionMode: "plan",
      includePartialMessages: true,
    },
  });
  const results = session[Symbol.asyncIterator]();
  await session.initializationResult();

  async function send(content: string, isCommand: boolean): Promise<SDKResultMessage> {
    await writer.write({
      type: "user",
      message: { role: "user", content },
      parent_tool_use_id: null,
      uuid: randomUUID(),
      ...(isCommand ? {} : { client_composed: true }),
    });
    for (;;) {
      const next = await results.next();
      if (next.done === true) throw new Error("the bare session ended");
      if (next.value.type === "result") return next.value;
    }
  }
  return {
    async turn(prompt) {
      requireAnswer(await send(prompt, false));
    },
    async clear() {
      await send("/clear", true);
    },
    async close() {
      await writer.close();
      while ((await results.next()).done !== true);
    },
  };
}

/** One `claude -p` for one task: a process start, a turn, and the end. */
export async function claudePrint(model: Model, prompt: string): Promise<void> {
  const child = spawn(executable, ["-p", prompt, "--output-format", "json", "--permission-mode", "plan"], {
    cwd: model.work,
    env: environment(model, "print"),
    stdio: ["ignore", "pipe", "inherit"],
  });
  requireAnswer(JSON.parse(await readText(child.stdout)) as SDKResultMessage);
}

function environment(model: Model, home: string): NodeJS.ProcessEnv {
  return claudeEnvironment(process.env, model.env(home), `bench-${home}`);
}

function requireAnswer(result: SDKResultMessage): void {
  if (result.subtype === "success" && !result.is_error && result.result === "ok") return;
  throw new Error(`the comparison's turn failed: ${JSON.stringify(result)}`);
}
