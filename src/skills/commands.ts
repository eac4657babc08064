/**
 * Commands inside a skill: an exclamation mark and a command between back-quotes (at the start of a line or after a space),
 * or a fenced block whose language is an exclamation mark.
 *
 * D1. They run on the template, before any argument is put in; what they print is text, whatever it holds.
 * D2. Each is over within `timeoutMs`, with everything it started, and no more than `maxBytes` of its output are kept.
 */
import { spawn } from "node:child_process";
import { StringDecoder } from "node:string_decoder";
import { PoolError } from "../core/errors.ts";
import { inertText, placeholdersIn, type Skill } from "../core/skill.ts";

export interface CommandLimits {
  /** The directory of the task. */
  readonly cwd: string;
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

/** The commands of a template, in order. */
export function commandsOf(prompt: string): readonly string[] {
  return [...prompt.matchAll(commands)].map((match) => commandIn(match));
}

/**
 * The skill with what its commands print in their place (D1).
 *
 * @throws {PoolError} `skill_command_failed`, `invalid_skill` for a command that waits for an argument.
 */
export async function withCommandsRun(skill: Skill, limits: CommandLimits): Promise<Skill> {
  for (const command of commandsOf(skill.prompt)) refuseArguments(skill, command);
  const parts: string[] = [];
  let end = 0;
  for (const match of skill.prompt.matchAll(commands)) {
    const printed = await run(skill, commandIn(match), limits);
    parts.push(skill.prompt.slice(end, match.index), inertText(skill, printed));
    end = match.index + match[0].length;
  }
  const prompt = parts.join("") + skill.prompt.slice(end);
  // What a command prints and the text behind it could make a placeholder that neither holds.
  const before = placeholdersIn({ ...skill, prompt: skill.prompt.replace(commands, " ") });
  if (placeholdersIn({ ...skill, prompt }) !== before) {
    throw failed(skill, "the commands", "what they print would make a placeholder with the text behind it");
  }
  return { ...skill, prompt };
}

const commands = /(?<=^|\s)!`([^`\n]+)`|^```![ \t]*\n([\s\S]*?)\n```[ \t]*$/gm;

function commandIn(match: RegExpExecArray): string {
  return match[1] ?? match[2] ?? "";
}

/** D1: a placeholder in a command would never be filled, and a shell would make something of it. */
function refuseArguments(skill: Skill, command: string): void {
  const named = skill.arguments.map((argument) => `{${argument.name}}`);
  const found = ["$ARGUMENTS", "${ARGUMENTS", ...named].find((placeholder) => command.includes(placeholder));
  if (found === undefined) return;
  throw new PoolError(
    "invalid_skill",
    `Skill ${skill.name}: its command ${shown(command)} holds ${found}. Commands run before arguments are put in: ` +
      "let the prompt ask Claude to run it instead.",
    { skill: skill.name },
  );
}

function run(skill: Skill, command: string, { cwd, timeoutMs, maxBytes }: CommandLimits): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const env = { ...process.env, ...(skill.dir === undefined ? {} : { CLAUDE_SKILL_DIR: skill.dir }) };
  // A group of its own, so that its end is the end of all it started.
  const child = spawn("/bin/sh", ["-c", command], { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr] = [bounded(maxBytes), bounded(2_000)];
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    endGroup(child.pid);
    // What has left the group may hold these open for ever.
    child.stdout.destroy();
    child.stderr.destroy();
  }, timeoutMs);
  child.stdout.on("data", stdout.add);
  child.stderr.on("data", stderr.add);
  child.on("error", (error) => {
    clearTimeout(timer);
    reject(failed(skill, command, error.message, error));
  });
  child.on("exit", () => endGroup(child.pid)); // what it left in the background
  child.on("close", (code, signal) => {
    clearTimeout(timer);
    if (isLate) reject(failed(skill, command, `it took longer than ${String(timeoutMs)} ms`));
    else if (code !== 0) reject(failed(skill, command, `${ending(code, signal)} ${stderr.text().trim()}`.trim()));
    else resolve(stdout.text().replace(/\s+$/, ""));
  });
  return promise;
}

function bounded(max: number): { readonly add: (data: Buffer) => void; readonly text: () => string } {
  const decoder = new StringDecoder("utf8");
  let kept = "";
  let bytes = 0;
  return {
    add(data) {
      if (bytes < max) kept += decoder.write(data.subarray(0, max - bytes));
      bytes += data.length;
    },
    text: () => (bytes > max ? `${kept}\n[cut: ${String(bytes)} bytes were printed]` : kept + decoder.end()),
  };
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // nothing of the group is left
  }
}

function ending(code: number | null, signal: NodeJS.Signals | null): string {
  return code === null ? `it was ended by ${String(signal)}.` : `it ended with code ${String(code)}.`;
}

function failed(skill: Skill, command: string, what: string, cause?: unknown): PoolError {
  return new PoolError(
    "skill_command_failed",
    `Skill ${skill.name}: ${shown(command)} failed: ${what}`,
    { skill: skill.name, command },
    cause,
  );
}

function shown(command: string): string {
  return JSON.stringify(command.length > 200 ? `${command.slice(0, 200)}…` : command);
}
