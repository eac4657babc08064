/** The edge of webhooks. */
import { z } from "zod";
import { webhookEvents, type WebhookSpec } from "../core/webhook.ts";
import type { Casing } from "./casing.ts";
import type { Fields } from "./fields.ts";
import { parse } from "./parse.ts";
import { flag, listOf, oneOf, text } from "./values.ts";

const url = text("a URL", 2_000)
  .refine((value) => isWebUrl(value), { error: "a URL that begins with https:// or http://, without a name or password in it" })
  .describe("Where it is told: `https://…` or `http://…`.");

export const webhookSchema = z.strictObject(
  {
    url,
    events: listOf(oneOf(webhookEvents), "a list of events").optional().describe("Of what; empty or absent: all."),
    allowPrivate: flag().optional().describe("Whether the address may be a loopback or private one; default false."),
  } satisfies Fields<WebhookSpec>,
  { error: "an object with a `url`" },
);

/** @throws {PoolError} `invalid_options`. */
export function parseWebhook(input: unknown, casing: Casing = "library"): WebhookSpec {
  return parse<WebhookSpec>(webhookSchema, input, casing);
}

function isWebUrl(value: string): boolean {
  const parsed = URL.parse(value);
  if (parsed === null) return false;
  return (parsed.protocol === "https:" || parsed.protocol === "http:") && parsed.username === "" && parsed.password === "";
}
