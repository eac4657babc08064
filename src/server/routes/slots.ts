/** Slots, the hosts that bring them, and messages between them. */
import { slotNotFound } from "../../core/errors.ts";
import type { SlotRecord } from "../../core/task.ts";
import type { Pool } from "../../pool.ts";
import { slotAnswer } from "../../schema/answers-pool.ts";
import {
  slotClaimAnswer,
  hostListAnswer,
  inboxAnswer,
  messageIdsAnswer,
  slotListAnswer,
} from "../../schema/answers-rest.ts";
import { parseSlotFilter, slotFilterSchema } from "../../schema/calls.ts";
import { slotConfigSchema } from "../../schema/fields.ts";
import { parseSlotConfig } from "../../schema/parse.ts";
import { broadcastSchema, messageSchema, parseBroadcast, parseMessage } from "../../schema/parse-requests.ts";
import type { Route } from "../route.ts";

const tag = "slots";

export const slotRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/v1/slots",
    name: "listSlots",
    summary: "Slots that match all that is given; stopped ones only if asked for",
    tag,
    query: slotFilterSchema,
    status: 200,
    answer: slotListAnswer,
    handle: async ({ pool, query }) => ({ slots: await pool.findSlots(parseSlotFilter(query, "wire")) }),
  },
  {
    method: "GET",
    path: "/v1/slots/:id",
    name: "getSlot",
    summary: "A slot",
    tag,
    status: 200,
    answer: slotAnswer,
    handle: ({ pool, param }) => slotOf(pool, param("id")),
  },
  {
    method: "PATCH",
    path: "/v1/slots/:id",
    name: "configureSlot",
    summary: "Change a slot's settings from its next task on; what is not given stays",
    tag,
    body: slotConfigSchema,
    status: 200,
    answer: slotAnswer,
    handle: ({ pool, param, body }) => pool.configureSlot(param("id"), parseSlotConfig(body, "wire")),
  },
  {
    method: "POST",
    path: "/v1/slots/:id/claim",
    name: "claimTask",
    summary: "Make an idle slot with `pull` take the next pending task",
    tag,
    status: 200,
    answer: slotClaimAnswer,
    async handle({ pool, param }) {
      const taskId = await pool.claim(param("id"));
      return taskId === undefined ? {} : { taskId };
    },
  },
  {
    method: "POST",
    path: "/v1/slots/:id/restart",
    name: "restartSlot",
    summary: "Make an errored slot take work again",
    tag,
    status: 200,
    answer: slotAnswer,
    handle: ({ pool, param }) => pool.restartSlot(param("id")),
  },
  {
    method: "GET",
    path: "/v1/hosts",
    name: "listHosts",
    summary: "The processes that contribute slots",
    tag,
    status: 200,
    answer: hostListAnswer,
    handle: async ({ pool }) => ({ hosts: await pool.hosts() }),
  },
  {
    method: "POST",
    path: "/v1/messages",
    name: "sendMessage",
    summary: "Put a message into the inbox of a slot or of the coordinator",
    tag: "messages",
    body: messageSchema,
    status: 201,
    answer: messageIdsAnswer,
    handle: async ({ pool, body }) => ({ messageIds: [await pool.sendMessage(parseMessage(body, "wire"))] }),
  },
  {
    method: "POST",
    path: "/v1/messages/broadcast",
    name: "broadcast",
    summary: "Put a message into the inbox of every live slot but the sender's",
    tag: "messages",
    body: broadcastSchema,
    status: 201,
    answer: messageIdsAnswer,
    handle: async ({ pool, body }) => ({ messageIds: await pool.broadcast(parseBroadcast(body, "wire")) }),
  },
  {
    method: "GET",
    path: "/v1/messages/:recipient",
    name: "peekMessages",
    summary: "What waits in an inbox, in order; it stays there",
    tag: "messages",
    status: 200,
    answer: inboxAnswer,
    handle: async ({ pool, param }) => ({ messages: await pool.peekMessages(param("recipient")) }),
  },
  {
    method: "POST",
    path: "/v1/messages/:recipient/read",
    name: "readMessages",
    summary: "What waits in an inbox, in order; it is empty then",
    tag: "messages",
    status: 200,
    answer: inboxAnswer,
    handle: async ({ pool, param }) => ({ messages: await pool.readMessages(param("recipient")) }),
  },
];

async function slotOf(pool: Pool, id: string): Promise<SlotRecord> {
  const known = [...(await pool.findSlots()), ...(await pool.findSlots({ state: "stopped" }))];
  const slot = known.find((one) => one.id === id);
  if (slot === undefined) throw slotNotFound(id);
  return slot;
}
