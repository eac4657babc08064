/**
 * Which prompt of a conversation an API request is about: the whole history comes with every request, and most of the text
 * in it was never typed by anybody.
 *
 * T1. Each typed text starts a turn, also where no answer stands between two: the CLI leaves interrupted and failed turns
 *     in the history without one. (So a prompt is one text block, as the CLI sends it.)
 * T2. Tool results, and what the CLI adds beside them, belong to the turn that asked for the tool; text beside a tool
 *     result starts a turn only if it is somebody's prompt (`isPrompt`), as in a run that goes on after a crash within a
 *     tool, or stands after the mark of an interrupt.
 * T3. A request that repeats another (a retry) is in the same turn.
 */

/** The latest turn of a request's messages. */
export interface ConversationTurn {
  /** Number of the turn in its conversation, from 0. */
  readonly ordinal: number;
  /** What was typed: without the reminders and notices that the CLI adds. */
  readonly prompt: string;
  /** Every text of the user's side since the last answer, reminders included. */
  readonly userText: string;
  /** What the tools answered since the last answer of the model. */
  readonly toolResults: readonly ToolResult[];
}

/** A tool's answer, as the model sees it. */
export interface ToolResult {
  readonly toolUseId: string;
  readonly text: string;
  readonly isError: boolean;
}

/** Reads the latest turn out of the `messages` of a request. */
export function latestTurn(messages: unknown, isPrompt: (text: string, current: string) => boolean): ConversationTurn {
  let ordinal = -1;
  let prompt = "";
  let userText: string[] = [];
  let toolResults: ToolResult[] = [];
  let besideTools = false;
  for (const message of records(messages)) {
    if (message.role === "assistant") {
      besideTools = false;
      userText = [];
      toolResults = [];
      continue;
    }
    for (const block of blocksOf(message)) {
      if (block.type === "tool_result") {
        toolResults.push(toolResult(block));
        besideTools = true;
      }
      if (block.type !== "text" || typeof block.text !== "string") continue;
      userText.push(block.text);
      if (block.text.includes(interruptMark)) besideTools = false;
      const typed = message.role === "user" ? typedText(block.text) : "";
      if (typed === "" || (besideTools && !isPrompt(typed, prompt))) continue;
      ordinal += 1;
      prompt = typed;
    }
  }
  return { ordinal, prompt, userText: userText.join("\n"), toolResults };
}

const interruptMark = "[Request interrupted by user";

/** What the CLI writes into the user's side by itself. */
const added = [
  /<(system-reminder|local-command-caveat|local-command-stdout|local-command-stderr|command-name|command-message|command-args)>[\s\S]*?<\/\1>/g,
  /\[Request interrupted by user[^\]]*\]/g,
  /^\s*\[structured-output-enforce\][\s\S]*$/,
  /^\s*Stop hook feedback:[\s\S]*$/,
  /^\s*Output token limit hit\.[\s\S]*$/,
];

function typedText(text: string): string {
  return added.reduce((rest, pattern) => rest.replace(pattern, ""), text).trim();
}

function toolResult(block: Readonly<Record<string, unknown>>): ToolResult {
  const text = blocksOf(block)
    .map((part) => (typeof part.text === "string" ? part.text : ""))
    .join("\n");
  return { toolUseId: String(block.tool_use_id), text, isError: block.is_error === true };
}

/** The content of a message or tool result as blocks: a bare string is one text block. */
export function blocksOf(message: Readonly<Record<string, unknown>>): readonly Readonly<Record<string, unknown>>[] {
  if (typeof message.content === "string") return [{ type: "text", text: message.content }];
  return records(message.content);
}

/** The objects of a list; nothing for what is no list. */
function records(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  if (!Array.isArray(value)) return [];
  return value.filter((item): item is Record<string, unknown> => typeof item === "object" && item !== null);
}
