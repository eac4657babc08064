/** Messages between slots and the coordinator. */
import { z } from "zod";
import { coordinator, type PoolMessage } from "../../core/message.ts";
import { count, texts, words } from "../../schema/answer.ts";
import { messageAnswer } from "../../schema/answers-pool.ts";
import { text } from "../../schema/values.ts";
import { broadcastSchema, messageSchema } from "../../schema/parse-requests.ts";
import { cutFields, maxTokens, tokensOf } from "../bounded.ts";
import { tool, type Tool } from "../tool.ts";
import type { ToolCall } from "../tool-call.ts";

const inbox = z.strictObject({
  slotId: text("a slot's id, or coordinator", 200)
    .optional()
    .describe("a slot's id; default coordinator, which is you"),
});
const inboxAnswer = z.strictObject({
  messages: z.array(messageAnswer),
  count,
  waiting: count.describe("So many more wait: read again."),
  ...cutFields,
});

export const messageTools: readonly Tool[] = [
  tool({
    name: "pool_send_message",
    title: "Send a message",
    description: "Writes to a slot, which reads it beside its next task, or to the coordinator.",
    effect: "adds",
    input: messageSchema,
    output: z.strictObject({ message_id: words }),
    run: async (message, { pool }) => ({
      messageId: await pool.sendMessage(message as Parameters<typeof pool.sendMessage>[0]),
    }),
  }),
  tool({
    name: "pool_broadcast",
    title: "Write to every slot",
    description: "Writes to every live slot but the sender, all or none.",
    effect: "adds",
    input: broadcastSchema,
    output: z.strictObject({ message_ids: texts, recipients: count, ...cutFields }),
    run: async (message, { pool }) => {
      const messageIds = await pool.broadcast(message as Parameters<typeof pool.broadcast>[0]);
      return { messageIds, recipients: messageIds.length };
    },
  }),
  tool({
    name: "pool_read_messages",
    title: "Read messages",
    description: "What waits in an inbox; it is empty then.",
    effect: "removes",
    input: inbox,
    output: inboxAnswer,
    run: async ({ slotId = coordinator }, { pool, keep }) => {
      // Only what can be shown is taken: the rest waits for the next call.
      const shown = fitting(await pool.peekMessages(slotId));
      return inboxOf(await pool.readMessages(slotId, { limit: shown.length }), keep, await pool.messageCount(slotId));
    },
  }),
  tool({
    name: "pool_peek_messages",
    title: "Look at messages",
    description: "What waits in an inbox; it stays there.",
    effect: "reads",
    input: inbox,
    output: inboxAnswer,
    run: async ({ slotId = coordinator }, { pool, keep }) => {
      const all = await pool.peekMessages(slotId);
      const shown = fitting(all);
      return inboxOf(shown, keep, all.length - shown.length);
    },
  }),
];

/** The first of them that one answer can show: at least one, if there is any. */
function fitting(messages: readonly PoolMessage[]): readonly PoolMessage[] {
  let tokens = 0;
  const beyond = messages.findIndex((message) => (tokens += tokensOf(JSON.stringify(message))) > maxTokens);
  return beyond === -1 ? messages : messages.slice(0, Math.max(1, beyond));
}

/** One that is too long for any answer is cut, so each is kept whole. */
function inboxOf(messages: readonly PoolMessage[], keep: ToolCall["keep"], waiting: number): object {
  for (const { id, content } of messages) keep(id, content);
  return { messages, count: messages.length, waiting };
}
