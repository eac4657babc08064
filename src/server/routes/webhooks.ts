/** Webhooks. */
import { webhookCreatedAnswer, webhookListAnswer, webhookTestAnswer } from "../../schema/answers-rest.ts";
import { parseWebhook, webhookSchema } from "../../schema/webhook.ts";
import type { Route } from "../route.ts";

const tag = "webhooks";

export const webhookRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/v1/webhooks",
    name: "listWebhooks",
    summary: "Addresses that are told when something is over, with what became of their deliveries",
    tag,
    status: 200,
    answer: webhookListAnswer,
    handle: async ({ pool }) => ({ webhooks: await pool.webhooks.list() }),
  },
  {
    method: "POST",
    path: "/v1/webhooks",
    name: "addWebhook",
    summary: "Add an address; its secret is shown this once",
    tag,
    body: webhookSchema,
    status: 201,
    answer: webhookCreatedAnswer,
    handle: ({ pool, body }) => pool.webhooks.add(parseWebhook(body, "wire")),
  },
  {
    method: "DELETE",
    path: "/v1/webhooks/:id",
    name: "removeWebhook",
    summary: "Remove an address, and the deliveries that wait for it",
    tag,
    status: 204,
    handle: ({ pool, param }) => pool.webhooks.remove(param("id")),
  },
  {
    method: "POST",
    path: "/v1/webhooks/:id/test",
    name: "testWebhook",
    summary: "Send a delivery of the event `test` now",
    tag,
    status: 200,
    answer: webhookTestAnswer,
    handle: ({ pool, param }) => pool.webhooks.test(param("id")),
  },
];
