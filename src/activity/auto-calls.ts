/**
 * What a turn's tool calls prove: that work was finished, or that something stood in its way. Words claim; these did happen.
 *
 * H1. A command counts as carried out only where its exit code speaks for it: not before a `;` or a pipe, not in the background.
 * H2. A check that failed and then passes proves a repair only where something was edited between the two, and the edit was not taken back.
 */

/** One tool call of a turn. */
export interface ToolCall {
  readonly tool: string;
  /** What it was given: the command, the file, the new status of a task. */
  readonly input: string;
  readonly failed: boolean;
}

export interface Signals {
  /** A task completed, a commit, merge, push, release or deployment, or a check that passes over an edit. */
  readonly finished: boolean;
  /** A check that ran last as a failure. */
  readonly failing: boolean;
  /** A failed call that nothing later made good, and after which nothing was finished. */
  readonly stopped: boolean;
  /** Has the turn reported by itself, by a command or a tool of the log? */
  readonly reported: boolean;
  readonly edited: readonly string[];
}

/** Reads the calls of one turn, in order. */
export function signalsOf(calls: readonly ToolCall[]): Signals {
  const finishedAt = calls.findLastIndex((call, at) => isFinishing(call) || isRepair(calls, at));
  const failed = calls.flatMap((call, at) => (call.failed ? [{ call, at }] : []));
  const unresolved = failed.filter(({ call, at }) => !calls.slice(at + 1).some((later) => makesGood(later, call)));
  return {
    finished: finishedAt >= 0,
    failing: unresolved.some(({ call }) => commandsOf(call).some(isCheck)),
    stopped: unresolved.some(({ at }) => at > finishedAt),
    reported: calls.some(isReport),
    edited: [...new Set(calls.flatMap((call) => (isEdit(call) ? [call.input] : [])))],
  };
}

const publishing =
  /^(?:git (?:commit|merge|revert|cherry-pick|push|rebase --continue)\b(?!.*--abort)|gh (?:pr (?:merge|create)|release create)\b|(?:npm|yarn|pnpm|cargo) publish\b|terraform apply\b|kubectl apply\b|helm upgrade\b|(?:\S*\/)?deploy(?:\.\w+)?\b)/u;
const checking =
  /^(?:(?:npm|yarn|pnpm|bun)(?: run)? (?:test|build|lint|check|typecheck|ci)\b|(?:\S*\/)?(?:vitest|jest|mocha|pytest|tox|rspec|phpunit|ctest|tsc|eslint|ruff|mypy|make)\b|playwright test\b|(?:cargo|go|swift|dotnet|mix|deno|bun|node --)\s*(?:test|build|check|clippy|vet)\b|(?:mvn|gradle|\.\/gradlew|xcodebuild|docker|bazel)\b.*\b(?:test|build|verify|check)\b)/u;
const takingBack = /^git (?:checkout (?:-- |\S*[./]\S*)|restore|reset|stash)(?: |$)/u;

function isFinishing(call: ToolCall): boolean {
  if (call.failed) return false;
  if (/^(?:TaskUpdate|TodoWrite)$/u.test(call.tool)) return call.input === "completed";
  return provenOf(call).some((command) => publishing.test(command));
}

/** H2; also a check that passes for the first time, over an edit of this turn. */
function isRepair(calls: readonly ToolCall[], at: number): boolean {
  const call = calls[at];
  if (call === undefined || !provenOf(call).some(isCheck)) return false;
  const before = calls.slice(0, at);
  const lastEdit = before.findLastIndex(isEdit);
  return lastEdit > before.findLastIndex((one) => provenOf(one).some((command) => takingBack.test(command)));
}

function isCheck(command: string): boolean {
  return checking.test(command);
}

function isEdit({ tool, failed }: ToolCall): boolean {
  return !failed && /^(?:Edit|MultiEdit|Write|NotebookEdit)$/u.test(tool);
}

function isReport({ tool, input }: ToolCall): boolean {
  return (
    /(?:^|_)pool_log_(?:post|claim|release)$/u.test(tool) ||
    (tool === "Bash" && /\bclaude-pool log (?:post|claim|release)\b/u.test(input))
  );
}

/** Does a later call show that an earlier one's failure is over: the same tool, for a command the same program with the same verb? */
function makesGood(later: ToolCall, failed: ToolCall): boolean {
  if (later.failed || later.tool !== failed.tool) return false;
  if (failed.tool !== "Bash") return true;
  const heads = commandsOf(failed).map(headOf);
  return provenOf(later)
    .map(headOf)
    .some((head) => heads.some((one) => `${one} `.startsWith(`${head} `) || `${head} `.startsWith(`${one} `)));
}

/** `npm run e2e` of `npm run e2e -- --ui`, `git push` of `git push origin main`. */
function headOf(command: string): string {
  const words = command.split(" ").filter((word) => !word.startsWith("-"));
  return words.slice(0, words[1] === "run" ? 3 : 2).join(" ");
}

/** Every command of a call, wherever it stands in it. */
function commandsOf({ tool, input }: ToolCall): readonly string[] {
  if (tool !== "Bash") return [];
  return bare(input)
    .split(/&&|\|\||[;|&\n]/u)
    .map(plain)
    .filter((command) => command !== "");
}

/** H1: the commands that a call without an error proves to have succeeded. */
function provenOf(call: ToolCall): readonly string[] {
  if (call.failed || call.tool !== "Bash") return [];
  const last = bare(call.input)
    .split(/\|\||;|\n|(?<!&)&(?!&)/u)
    .at(-1);
  return (last ?? "")
    .split("&&")
    .filter((command) => !command.includes("|"))
    .map(plain)
    .filter((command) => command !== "");
}

/** Without what is only text: here documents, quoted strings, comments, redirections. */
function bare(command: string): string {
  return command
    .slice(0, 8_192)
    .replace(/<<-?\s*(['"]?)(\w+)\1[^\n]*\n[\s\S]*?\n\s*\2\b/gu, " ")
    .replace(/'[^']*'|"(?:[^"\\]|\\.)*"/gu, "…")
    .replace(/\d?>&\d|&?\d?>>?\s*\S+/gu, " ")
    .replace(/\\\n/gu, " ")
    .trim();
}

function plain(command: string): string {
  return command
    .trim()
    .replace(/\s+/gu, " ")
    .replace(/^(?:(?:\w+=\S*|time|sudo|env|npx|uv run|poetry run|bundle exec|python3? -m|pnpm exec) )+/u, "")
    .replace(/^git (?:-[Cc] \S+ )+/u, "git ");
}
