/**
 * What Claude said in the present turn, from the transcript: where Stop's input does not carry the answer, and for blocks that stand in an
 * earlier message of the turn, before its last tool call.
 *
 * The file's name comes from outside: it is opened only as a regular file of this user's under Claude's configuration directory, and only its
 * end is read. It is written behind Claude's back and may lag, so a turn counts only once it holds the last message.
 */
import { closeSync, fstatSync, openSync, readSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { join, sep } from "node:path";
import type { Environment } from "../activity/place.ts";

const tailBytes = 4 * 1024 * 1024;
const settleMs = 500;

/** The texts of the turn that ends with `last`, in order, `last` among them; only `last` itself while the transcript lacks it. */
export function turnEndingWith(last: string, path: string, env: Environment): readonly string[] {
  const turn = settled(path, env, (tail) => {
    if (!mayHoldBlock.test(tail)) return [];
    const texts = turnIn(tail);
    return texts.at(-1)?.trim() === last.trim() ? texts : undefined;
  });
  return turn === undefined || turn.length === 0 ? [last] : turn;
}

/** The texts of the last turn, once the file has stopped growing; for a Claude Code that does not say what it answered. */
export function lastTurn(path: string, env: Environment): readonly string[] {
  let before: string | undefined;
  const turn = settled(path, env, (tail) => {
    const isStill = tail === before;
    before = tail;
    return isStill ? turnIn(tail) : undefined;
  });
  return turn ?? turnIn(before ?? "");
}

/** What `read` makes of the file's end, as soon as it makes something of it; undefined: it did not in half a second, or there is no file. */
function settled<T>(path: string, env: Environment, read: (tail: string) => T | undefined): T | undefined {
  for (const until = performance.now() + settleMs; ;) {
    const tail = tailOf(path, env);
    const found = tail === undefined ? undefined : read(tail);
    if (tail === undefined || found !== undefined || performance.now() > until) return found;
    Atomics.wait(sleeper, 0, 0, 40);
  }
}

const mayHoldBlock = /(?:`{3}|~{3})[ \t]*pool/iu;
const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** Everything that the messages of the turn that ends with `last` hold, in order; undefined while the transcript lacks it. */
export function partsOfTurn(
  last: string,
  path: string,
  env: Environment,
): readonly Readonly<Record<string, unknown>>[] | undefined {
  return settled(path, env, (tail) => {
    const turn = messagesIn(tail);
    const isWhole =
      turn
        .flatMap(({ texts }) => texts)
        .at(-1)
        ?.trim() === last.trim();
    return isWhole ? turn.flatMap(({ parts }) => parts) : undefined;
  });
}

/** The assistant's texts after the last prompt that somebody typed. */
function turnIn(tail: string): readonly string[] {
  return messagesIn(tail).flatMap(({ texts }) => texts);
}

/** The messages after that prompt, with the results of tools between them. */
function messagesIn(tail: string): readonly Message[] {
  const found: Message[] = [];
  const lines = tail.split("\n");
  for (const line of lines.reverse()) {
    const message = messageIn(line);
    if (message === undefined) continue;
    if (message.isPrompt) break;
    found.push(message);
  }
  return found.reverse();
}

interface Message {
  readonly isPrompt: boolean;
  readonly texts: readonly string[];
  readonly parts: readonly Readonly<Record<string, unknown>>[];
}

/** A line of the main conversation; undefined for a subagent's, for what is no message, and for what does not parse. */
function messageIn(line: string): Message | undefined {
  if (!line.startsWith("{")) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined; // the line that is being written, or one cut by the tail
  }
  const { type, isSidechain, isMeta, message } = value as Readonly<Record<string, unknown>>;
  if (isSidechain === true || (type !== "assistant" && type !== "user")) return undefined;
  const { content } = (message ?? {}) as { readonly content?: unknown };
  const parts = (Array.isArray(content) ? content : [{ type: "text", text: content }]).filter(isObject);
  const texts = parts.flatMap(textIn);
  if (type === "assistant") return { isPrompt: false, texts, parts };
  // Tool results and what Claude Code adds by itself are no prompts.
  return isMeta === true ? undefined : { isPrompt: texts.length > 0, texts: [], parts };
}

function textIn({ type, text }: Readonly<Record<string, unknown>>): readonly string[] {
  return type === "text" && typeof text === "string" ? [text] : [];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

/** The end of the file; undefined where it is not one that may be opened. */
function tailOf(path: string, env: Environment): string | undefined {
  try {
    const real = realpathSync(path);
    const config = env.CLAUDE_CONFIG_DIR ?? "";
    const allowed = realpathSync(config === "" ? join(env.HOME ?? homedir(), ".claude") : config);
    if (!real.startsWith(allowed + sep)) return undefined;
    const file = openSync(real, "r");
    try {
      const stat = fstatSync(file);
      if (!stat.isFile() || (process.getuid !== undefined && stat.uid !== process.getuid())) return undefined;
      const buffer = Buffer.allocUnsafe(Math.min(stat.size, tailBytes));
      const count = readSync(file, buffer, 0, buffer.length, Math.max(0, stat.size - tailBytes));
      return buffer.toString("utf8", 0, count);
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined; // not there yet, or not ours to read
  }
}
