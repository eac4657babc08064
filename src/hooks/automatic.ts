/** Automatic mode in Stop: the turn's ending, read beside its tool calls, may become an entry that is marked as a guess. Off unless the user turns it on. */
import { guessEvery, guessOf } from "../activity/auto.ts";
import type { ToolCall } from "../activity/auto-calls.ts";
import { blocksOf } from "../activity/block.ts";
import { automaticMode } from "../activity/settings.ts";
import { scopeOf } from "../activity/scope.ts";
import { writeDraft } from "../activity/write.ts";
import { authorOf, isSlot, type HookTerminal } from "./terminal.ts";
import { partsOfTurn } from "./transcript.ts";

/**
 * Writes what the turn most likely means; resolves to when the terminal last guessed, in Unix seconds. A turn that its transcript does not show
 * yet gives nothing: without its calls there is no evidence.
 */
export async function guessTurn(terminal: HookTerminal): Promise<number> {
  const { ground, input, env, memory, now, settings } = terminal;
  const { lastAssistantMessage: answer = "", transcriptPath: path } = input;
  const isMine = input.event === "Stop" && input.agentId === undefined && !isSlot(terminal);
  if (!isMine || answer === "" || path === undefined || !automaticMode(settings, env)) return memory.guessedAt;
  if (now - memory.guessedAt < guessEvery) return memory.guessedAt;
  const parts = partsOfTurn(answer, path, env);
  if (parts === undefined || blocksOf(textOf(parts)).blocks.length > 0) return memory.guessedAt;
  const guess = guessOf({ answer, calls: callsIn(parts), isSubagent: false });
  if (guess === undefined) return memory.guessedAt;
  const { action, topic, summary, confidence, edited } = guess;
  const scope = scopeOf(edited, { top: ground.top, from: ground.from });
  const draft = { action, topic, summary, confidence, paths: scope.paths, flags: scope.flags };
  const { written } = await writeDraft(ground.folder, draft, authorOf(terminal, "auto"), { waitMs: 300 });
  return written ? now : memory.guessedAt;
}

type Fields = Readonly<Record<string, unknown>>;

/** What the turn said: a block that was still on its way to the transcript a moment ago counts too. */
function textOf(parts: readonly Fields[]): string {
  return parts.flatMap(({ type, text }) => (type === "text" && typeof text === "string" ? [text] : [])).join("\n\n");
}

/** The calls of a turn's messages that have their result; what has none proves nothing. */
function callsIn(parts: readonly Fields[]): readonly ToolCall[] {
  const failed = new Map(
    parts.filter(({ type }) => type === "tool_result").map((part) => [part.tool_use_id, part.is_error === true]),
  );
  return parts.flatMap(({ type, id, name, input }) => {
    const outcome = type === "tool_use" ? failed.get(id) : undefined;
    if (outcome === undefined || typeof name !== "string") return [];
    return [{ tool: name, input: givenTo(fieldsOf(input)), failed: outcome }];
  });
}

/** The command, the file or the new status; of a list of tasks `completed` where all of them are. */
function givenTo({ command, run_in_background, file_path, notebook_path, status, todos }: Fields): string {
  // Started in the background it proves nothing, as with the shell's own `&`.
  if (typeof command === "string") return run_in_background === true ? `${command} &` : command;
  if (Array.isArray(todos)) {
    const isDone = todos.length > 0 && todos.every((todo) => fieldsOf(todo).status === "completed");
    return isDone ? "completed" : "in_progress";
  }
  return [file_path, notebook_path, status].find((value) => typeof value === "string") ?? "";
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}
