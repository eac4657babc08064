/** A request to the scripted API, with the parts that tests ask about already read. */
import type { IncomingHttpHeaders } from "node:http";
import { blocksOf, type ConversationTurn, type ToolResult } from "./conversation-turn.ts";

export interface LoggedRequest {
  /** Order of arrival, from 0. */
  readonly index: number;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders;
  /** Parsed; the raw text where it is no JSON; undefined without a body. */
  readonly body: unknown;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  /** Claude's session id where the CLI sends it, else the first message: what tells conversations apart. */
  readonly conversation: string;
  /** What was typed in the latest turn, without the reminders that the CLI adds: what texts and patterns are matched with. */
  readonly prompt: string;
  /** Every text of the user's side since the last answer of the model, reminders and injected context included. */
  readonly userText: string;
  /** What tools answered since the last answer of the model. */
  readonly toolResults: readonly ToolResult[];
  readonly model: string | undefined;
  readonly maxTokens: number | undefined;
  /** The system prompt as one text. */
  readonly system: string;
  /** Names of the tools offered to the model. */
  readonly tools: readonly string[];
  readonly stream: boolean;
}

/** What arrived, before it is read. */
export interface RawRequest {
  readonly index: number;
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly atMs: number;
}

/** Reads a request; `turnOf` finds the latest turn in its messages. */
export function readRequest(raw: RawRequest, turnOf: (messages: unknown) => ConversationTurn): LoggedRequest {
  const { text, ...rest } = raw;
  const body = parseBody(text);
  const fields = isRecord(body) ? body : {};
  const { prompt, userText, toolResults } = turnOf(fields.messages);
  return {
    ...rest,
    body,
    conversation: conversationOf(fields, raw.headers),
    prompt,
    userText,
    toolResults,
    model: typeof fields.model === "string" ? fields.model : undefined,
    maxTokens: typeof fields.max_tokens === "number" ? fields.max_tokens : undefined,
    system: blocksOf({ content: fields.system })
      .map((block) => String(block.text))
      .join("\n"),
    tools: namesOf(fields.tools),
    stream: fields.stream === true,
  };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseBody(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text; // a body that is no JSON is logged as it came: the test that sent it wants to see it
  }
}

function conversationOf(fields: Readonly<Record<string, unknown>>, headers: IncomingHttpHeaders): string {
  const header = headers["x-claude-code-session-id"];
  if (typeof header === "string") return header;
  if (isRecord(fields.metadata) && typeof fields.metadata.user_id === "string") return fields.metadata.user_id;
  const first = Array.isArray(fields.messages) ? (fields.messages[0] as unknown) : undefined;
  return JSON.stringify(first ?? null);
}

function namesOf(tools: unknown): readonly string[] {
  if (!Array.isArray(tools)) return [];
  return tools.flatMap((tool: unknown) => (isRecord(tool) && typeof tool.name === "string" ? [tool.name] : []));
}
