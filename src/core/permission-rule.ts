/**
 * Rules of permission in Claude Code's own syntax, and which tool calls they cover.
 *
 * U1. A rule that allows covers only what it surely means: a command with shell control in it (`&&`, `;`, `|`, `$`, quotes
 *     around them or not) fits no pattern, a path is compared without its `..`. What does not fit is asked, not refused.
 * U2. A rule that denies covers more: each part of a command that a shell would run by itself is looked at. It is a
 *     convenience; what it misses is asked.
 * U3. Matching takes time in proportion to rule times input, whatever either says: both may be hostile.
 * U4. What Claude's own safety check asks about is never allowed by a rule. What lies outside of the task's directories is
 *     allowed only by an absolute path, by the very command, or by `Bash` itself, which bounds nothing anyway.
 */
import { invalidOptions } from "./errors.ts";
import type { JsonObject } from "./task.ts";

export type Decision = "allow" | "deny";

/** A tool call as far as rules look at it; `cwd` is absolute. */
export interface ToolCall {
  readonly tool: string;
  readonly input: JsonObject;
  readonly cwd: string;
  /** Claude's own safety check asks (a hook of git, settings, `rm -rf /`): no rule allows that (U4). */
  readonly isSensitive?: boolean;
  /** It reaches beyond the directories that the task works in (U4). */
  readonly isOutside?: boolean;
}

/** A rule in its parts: `Bash(npm test:*)` is tool `Bash` with the pattern `npm test:*`. */
interface RuleParts {
  readonly tool: string;
  readonly pattern?: string;
}

/** The longest rule, in characters. */
const maxRuleCharacters = 500;

const editTools = ["Edit", "Write", "NotebookEdit", "MultiEdit"];
const readTools = ["Read", "Grep", "Glob"];
/** What a rule's tool name stands for, where that is more than itself. */
const families: Readonly<Record<string, readonly string[]>> = { Edit: editTools, Read: readTools };
const pathTools = [...editTools, ...readTools];
const shellControl = /[;&|<>`$(){}\\\r\n]/;

/**
 * The rule as it is kept: without blanks around it.
 *
 * @throws {PoolError} `invalid_options` for what is no rule, or a pattern that the pool cannot match.
 * @example checkRule(" Bash(npm test:*) ") // "Bash(npm test:*)"
 */
export function checkRule(text: string): string {
  const rule = text.trim().replace(/^(mcp__.+)__\*$/, "$1");
  const parts = partsOf(rule);
  if (rule.length > maxRuleCharacters || parts === undefined) {
    throw invalidRule(text, "expected a tool with an optional pattern, such as Edit, Edit(src/**) or Bash(npm test:*)");
  }
  const { tool, pattern } = parts;
  if (pattern === undefined) return rule;
  if (tool === "Bash") return rule;
  if (tool === "WebFetch") {
    if (/^domain:[^/\s]+$/.test(pattern)) return rule;
    throw invalidRule(text, "WebFetch takes a domain: WebFetch(domain:example.com)");
  }
  if (!pathTools.includes(tool)) throw invalidRule(text, `the pool knows no patterns for ${tool}: write ${tool} alone`);
  if (pattern.startsWith("~")) throw invalidRule(text, "write a path outside the project as //absolute/path");
  return rule;
}

/** Does the rule, which `checkRule` has passed, cover this call (U1, U2)? */
export function ruleCovers(rule: string, call: ToolCall, decision: Decision): boolean {
  const parts = partsOf(rule);
  if (parts === undefined) return false;
  const { tool, pattern } = parts;
  if (!namesTool(tool, call.tool)) return false;
  if (decision === "allow" && call.isSensitive === true) return false;
  const isBeyond = decision === "allow" && call.isOutside === true;
  if (pattern === undefined || pattern === "*") return !isBeyond || !pathTools.includes(call.tool);
  if (call.tool === "Bash") {
    const command = textOf(call.input["command"]);
    return isBeyond ? command?.trim() === pattern : coversCommand(pattern, command, decision);
  }
  if (call.tool === "WebFetch") return coversDomain(pattern, textOf(call.input["url"]));
  const path = pathOf(call.input);
  if (isBeyond && !pattern.startsWith("//")) return false;
  return path !== undefined && coversPath(pattern, path, call.cwd);
}

/**
 * The narrowest rule that covers a call: this command, this file, this host, or the tool itself where it takes no pattern;
 * undefined: no pattern can say so.
 */
export function narrowestRule({ tool, input, cwd }: ToolCall): string | undefined {
  const path = pathOf(input);
  if (tool === "Bash") return rulePattern(tool, textOf(input["command"]) ?? "");
  if (tool === "WebFetch") {
    const host = hostOf(textOf(input["url"]));
    return host === undefined ? undefined : rulePattern(tool, `domain:${host}`);
  }
  if (!pathTools.includes(tool) || path === undefined) return tool;
  const from = segments(cwd, "/");
  const to = segments(path, cwd);
  const isInside = to.length > from.length && from.every((name, index) => to[index] === name);
  return rulePattern(tool, isInside ? `/${to.slice(from.length).join("/")}` : `//${to.join("/")}`);
}

/** A pattern that means itself alone. */
function rulePattern(tool: string, pattern: string): string | undefined {
  const isPlain = pattern.trim() === pattern && pattern !== "" && !/[*\r\n]/.test(pattern);
  const rule = `${tool}(${pattern})`;
  return isPlain && rule.length <= maxRuleCharacters ? rule : undefined;
}

function partsOf(rule: string): RuleParts | undefined {
  const [, tool, pattern] = /^([A-Za-z_][\w.:-]*)(?:\(([^\r\n]+)\))?$/.exec(rule) ?? [];
  if (tool === undefined) return undefined;
  return pattern === undefined ? { tool } : { tool, pattern };
}

/** `mcp__server` and `mcp__server__*` stand for every tool of the server. */
function namesTool(named: string, called: string): boolean {
  if (named === called || families[named]?.includes(called) === true) return true;
  return /^mcp__.+?$/.test(named) && !named.slice(5).includes("__") && called.startsWith(`${named}__`);
}

function coversCommand(pattern: string, command: string | undefined, decision: Decision): boolean {
  if (command === undefined) return false;
  if (fitsCommand(pattern, command.trim())) {
    // Only a pattern that is the very command may hold what a shell would take apart.
    return decision === "deny" || command.trim() === pattern || !shellControl.test(command);
  }
  if (decision === "allow") return false;
  return command.split(/[;&|(){}`\r\n]+/).some((part) => fitsCommand(pattern, part.trim()));
}

function fitsCommand(pattern: string, command: string): boolean {
  if (!pattern.endsWith(":*")) return fitsGlob(pattern, command);
  const prefix = pattern.slice(0, -2);
  return command === prefix || command.startsWith(`${prefix} `);
}

function coversDomain(pattern: string, url: string | undefined): boolean {
  const host = hostOf(url);
  if (host === undefined) return false;
  const domain = pattern.replace(/^domain:/, "").toLowerCase();
  return domain.startsWith("*.") ? host.endsWith(domain.slice(1)) : host === domain;
}

function hostOf(url: string | undefined): string | undefined {
  return url !== undefined && URL.canParse(url) ? new URL(url).hostname.toLowerCase() || undefined : undefined;
}

/** As in .gitignore: a pattern without a slash fits at any depth, and what fits a directory fits all that is in it. */
function coversPath(pattern: string, path: string, cwd: string): boolean {
  const isAbsolute = pattern.startsWith("//");
  const base = isAbsolute ? [] : segments(cwd, "/");
  const to = segments(path, cwd);
  if (!base.every((name, index) => to[index] === name)) return false;
  const given = pattern
    .replace(/^(\/+|\.\/)/, "")
    .split("/")
    .filter((name) => name !== "" && name !== ".");
  if (given.includes("..")) return false;
  const isAnywhere = !isAbsolute && !pattern.replace(/\/+$/, "").includes("/");
  return fitsPath(isAnywhere ? ["**", ...given] : given, to.slice(base.length));
}

/** `**` is any number of names; a row of booleans for each prefix keeps it in proportion (U3). */
function fitsPath(pattern: readonly string[], path: readonly string[]): boolean {
  let reached = Array.from({ length: path.length + 1 }, (_, index) => index === 0);
  for (const part of pattern) {
    const next = path.map(() => false).concat(false);
    let before = false;
    for (let index = 0; index <= path.length; index += 1) {
      if (part === "**") {
        before ||= reached[index] === true;
        next[index] = before;
      } else if (index > 0) {
        next[index] = reached[index - 1] === true && fitsGlob(part, path[index - 1] ?? "");
      }
    }
    reached = next;
  }
  // Any prefix but the empty one: the directory that fits, with what is in it.
  return reached.some((isReached, index) => isReached && (index > 0 || path.length === 0));
}

/** `*` is any text; the pieces between stars are looked for one after the other, each as early as it comes (U3). */
function fitsGlob(pattern: string, text: string): boolean {
  const pieces = pattern.split("*");
  const [first = "", last = ""] = [pieces[0], pieces.at(-1)];
  if (pieces.length === 1) return pattern === text;
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false;
  let at = first.length;
  const end = text.length - last.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, at);
    if (found === -1 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}

/** The names of a path from the root, without `.` and `..`. */
function segments(path: string, cwd: string): readonly string[] {
  const names: string[] = [];
  const whole = path.startsWith("/") ? path : `${cwd}/${path}`;
  for (const name of whole.split("/")) {
    if (name === "..") names.pop();
    else if (name !== "" && name !== ".") names.push(name);
  }
  return names;
}

function pathOf(input: JsonObject): string | undefined {
  return textOf(input["file_path"]) ?? textOf(input["notebook_path"]) ?? textOf(input["path"]);
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function invalidRule(text: string, why: string): Error {
  return invalidOptions(`rule: ${JSON.stringify(text.slice(0, 200))} cannot be used: ${why}.`, "rule");
}
