/** What the pool reads of the CLI's messages. Fields that the SDK's types lack, or an older CLI leaves out, are read with care. */
import type { SDKMessage, SDKResultMessage } from "@anthropic-ai/claude-agent-sdk";
import { defined } from "../../core/config.ts";
import type { Json, TokenUsage } from "../../core/task.ts";

type Fields = Readonly<Record<string, unknown>>;

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

export function number(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** The uuids of the user messages that a message belongs to; undefined: it names none. */
export function namedMessages(message: SDKMessage): readonly string[] | undefined {
  const { user_message_uuid: one, user_message_uuids: many } = message as Fields;
  const named = [one, ...(Array.isArray(many) ? (many as readonly unknown[]) : [])].filter(
    (uuid) => typeof uuid === "string",
  );
  return named.length === 0 ? undefined : named;
}

/** Cost in dollars of everything since the result before; undefined: this CLI does not tell (2.1.197). */
export function costSinceLastResult(result: SDKResultMessage): number | undefined {
  const since = (result as Fields)["model_usage_since_last_result"];
  if (!isFields(since)) return undefined;
  return Object.values(since).reduce<number>((sum, usage) => sum + (number(fieldsOf(usage)["costUSD"]) ?? 0), 0);
}

/** What a result says of each model, for this turn where the CLI tells it so. */
export function modelUsageOf(result: SDKResultMessage): Fields | undefined {
  const fields = result as Fields;
  const usage = fields["model_usage_since_last_result"] ?? fields["modelUsage"];
  return isFields(usage) && Object.keys(usage).length > 0 ? usage : undefined;
}

export function usageOf(value: unknown): TokenUsage | undefined {
  if (!isFields(value)) return undefined;
  return {
    inputTokens: number(value["input_tokens"]) ?? 0,
    outputTokens: number(value["output_tokens"]) ?? 0,
    cacheReadInputTokens: number(value["cache_read_input_tokens"]) ?? 0,
    cacheCreationInputTokens: number(value["cache_creation_input_tokens"]) ?? 0,
  };
}

/** One block of an assistant or user message. */
export interface Block {
  readonly type: string;
  readonly text?: string;
  readonly id?: string;
  readonly name?: string;
  readonly input?: Fields;
  readonly toolUseId?: string;
  readonly isError?: boolean;
}

/** The blocks of a message's content; a plain string is one text block. */
export function blocksOf(message: unknown): readonly Block[] {
  const content = fieldsOf(message)["content"];
  if (typeof content === "string") return [{ type: "text", text: content }];
  if (!Array.isArray(content)) return [];
  return content.filter(isFields).map((block) =>
    defined<Block>({
      type: text(block["type"]) ?? "",
      text: text(block["text"]),
      id: text(block["id"]),
      name: text(block["name"]),
      input: isFields(block["input"]) ? block["input"] : undefined,
      toolUseId: text(block["tool_use_id"]),
      isError: block["is_error"] === true,
    }),
  );
}

/** JSON that came over the wire, as data. */
export function asJson(value: unknown): Json {
  return value as Json;
}
