/** Prompts from arguments, files and stdin. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { text as readAll } from "node:stream/consumers";
import { invalidOptions } from "../core/errors.ts";
import type { TaskSpec } from "../core/task.ts";
import { parseTaskSpec } from "../schema/parse.ts";
import type { Call } from "./call.ts";

/**
 * The one prompt of a command: its words, or stdin for `-` and where there are none.
 *
 * @throws {PoolError} `invalid_options` without any.
 */
export async function promptOf(call: Call, words: readonly string[]): Promise<string> {
  if (words.length > 0 && !(words.length === 1 && words[0] === "-")) return words.join(" ");
  if (words.length === 0 && call.io.stdin.isTTY === true) {
    throw invalidOptions(
      "prompt: expected what is to be done, got nothing. Give it as an argument, or on stdin.",
      "prompt",
    );
  }
  const given = (await readAll(call.io.stdin)).replace(/\r?\n$/, "");
  if (given !== "") return given;
  throw invalidOptions("prompt: stdin holds none. Give it as an argument, or on stdin.", "prompt");
}

/**
 * The specs of a fan-out: one an argument, or one a line of a file or of stdin; a line is a prompt or a JSON object.
 *
 * @throws {PoolError} `invalid_options`, naming the line.
 */
export async function specsOf(
  call: Call,
  words: readonly string[],
  source: { readonly file?: string | undefined; readonly jsonl?: boolean | undefined },
): Promise<readonly TaskSpec[]> {
  const { file } = source;
  if (file !== undefined && file !== "-") {
    if (words.length > 0) throw invalidOptions("Prompts come as arguments or from --file: give one of them.", "--file");
    return fromLines(readText(file, call.io.cwd), file, source.jsonl ?? /\.(jsonl|ndjson)$/.test(file));
  }
  if (words.length > 0 && !(words.length === 1 && words[0] === "-")) return words.map((word) => parseTaskSpec(word));
  if (file === undefined && words.length === 0 && call.io.stdin.isTTY === true) {
    throw invalidOptions(
      "prompts: expected some, got none. Give them as arguments, with --file, or on stdin.",
      "prompts",
    );
  }
  return fromLines(await readAll(call.io.stdin), "stdin", source.jsonl);
}

/** Without a word on the format, the first line tells: an object with a prompt is JSON. */
function fromLines(content: string, name: string, jsonl: boolean | undefined): readonly TaskSpec[] {
  const lines = content.split(/\r?\n/).map((text, index) => ({ text, where: `${name}, line ${String(index + 1)}` }));
  const filled = lines.filter(({ text }) => text.trim() !== "");
  const isJson = jsonl ?? (filled[0] !== undefined && isObject(filled[0].text));
  const specs = filled.map(({ text, where }) =>
    isJson ? parseTaskSpec(parseLine(text, where), "wire", where) : parseTaskSpec(text, "wire", where),
  );
  if (specs.length === 0) {
    const instead = name === "stdin" ? " Give them as arguments, with --file, or on stdin." : "";
    throw invalidOptions(`prompts: ${name} holds none.${instead}`, "prompts");
  }
  return specs;
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && "prompt" in value;
  } catch {
    return false; // a prompt in plain words
  }
}

function parseLine(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalidOptions(`${where}: not JSON: ${(error as Error).message}.`);
  }
}

function readText(file: string, base: string): string {
  try {
    return readFileSync(resolve(base, file), "utf8");
  } catch (error) {
    throw invalidOptions(`--file: cannot read ${JSON.stringify(file)}: ${(error as Error).message}.`, "--file");
  }
}
