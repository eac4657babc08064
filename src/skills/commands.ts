/**
 * Commands inside a skill: an exclamation mark and a command between back-quotes (at the start of a line or after a space),
 * or a fenced block whose language is an exclamation mark.
 *
 * D1. They run on the template, before any argument is put in; what they print is text, whatever it holds.
 * D2. Each is over within `timeoutMs`, with everything it started, and no more than `maxBytes` of its output are kept.
 */
import { StringDecoder } from "node:string_decoder";
import { PoolError } from "../core/errors.ts";
import { inertText, placeholdersIn, type Skill } from "../core/skill.ts";
import { runShellCommand, type ShellEnd } from "../shell-command.ts";

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

async function run(skill: Skill, command: string, { cwd, timeoutMs, maxBytes }: CommandLimits): Promise<string> {
  const env = { ...process.env, ...(skill.dir === undefined ? {} : { CLAUDE_SKILL_DIR: skill.dir }) };
  const [stdout, stderr] = [bounded(maxBytes), bounded(2_000)];
  const end = await runShellCommand({
    command,
    cwd,
    env,
    timeoutMs,
    onOutput: (data, stream) => {
      (stream === "stdout" ? stdout : stderr).add(data);
    },
  }).catch((error: unknown) => {
    throw failed(skill, command, error instanceof Error ? error.message : String(error), error);
  });
  if (end.how !== "exited") throw failed(skill, command, `it took longer than ${String(timeoutMs)} ms`);
  if (end.code !== 0) throw failed(skill, command, `${ending(end)} ${stderr.text().trim()}`.trim());
  return stdout.text().replace(/\s+$/, "");
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

function ending({ code, signal }: ShellEnd): string {
  return code === undefined ? `it was ended by ${String(signal)}.` : `it ended with code ${String(code)}.`;
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
