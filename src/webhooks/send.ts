/**
 * One delivery over HTTP.
 *
 * E1. The name is resolved once, and only an address that was looked at is connected to: a name that answers differently
 *     the second time gains nothing.
 * E2. No redirect is followed, since it could lead anywhere; it is a failure.
 * E3. Bounded in time; of the answer only the status is read.
 */
import { createHmac } from "node:crypto";
import { lookup, type LookupAddress } from "node:dns";
import type { RequestOptions } from "node:http";
import { isIP, type LookupFunction } from "node:net";
import type { Delivery } from "../core/webhook.ts";
import { isPrivateAddress } from "./private-address.ts";

export interface Sent {
  readonly id: string;
  readonly payload: string;
  readonly nowMs: number;
  readonly timeoutMs: number;
}

/** Resolves to the status. @throws {Error} in words, where there was no answer or may be none. */
export async function send({ url, secret, allowPrivate }: Delivery["webhook"], sent: Sent): Promise<number> {
  const target = new URL(url);
  const literal = target.hostname.replace(/^\[|\]$/g, "");
  if (!allowPrivate && isIP(literal) !== 0 && isPrivateAddress(literal)) throw refused(literal);
  // Loaded with the first delivery: 13 MB, which a pool without webhooks does not need.
  const { request: ask } = await (target.protocol === "https:" ? import("node:https") : import("node:http"));
  const body = Buffer.from(sent.payload);
  const options: RequestOptions = {
    method: "POST",
    agent: false, // a kept connection would go past the look at its address
    headers: {
      ...signatureHeaders(secret, sent),
      "content-type": "application/json",
      "content-length": body.length,
      "user-agent": "claude-pool",
    },
    signal: AbortSignal.timeout(sent.timeoutMs),
    ...(allowPrivate ? {} : { lookup: publicOnly }),
  };
  return new Promise((resolve, reject) => {
    const request = ask(target, options, (response) => {
      resolve(response.statusCode ?? 0);
      response.destroy(); // E3
    });
    request.on("error", (error) =>
      reject(error.name === "AbortError" || error.name === "TimeoutError" ? tooSlow(sent) : error),
    );
    request.end(body);
  });
}

/** As Standard Webhooks has it: `v1,` and the HMAC-SHA256 of id, time and body. */
function signatureHeaders(secret: string, { id, payload, nowMs }: Sent): Readonly<Record<string, string>> {
  const seconds = String(Math.floor(nowMs / 1_000));
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${seconds}.${payload}`).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": seconds, "webhook-signature": `v1,${signature}` };
}

/** E1: one private address among them is enough to refuse the name. */
const publicOnly: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
    if (error !== null) {
      callback(error, "", 0);
      return;
    }
    const [first] = addresses;
    const bad = addresses.find(({ address }) => isPrivateAddress(address));
    if (first === undefined) callback(new Error(`${hostname} has no address`), "", 0);
    else if (bad !== undefined) callback(refused(`${hostname} (${bad.address})`), "", 0);
    else if (options.all === true) callback(null, addresses);
    else callback(null, first.address, first.family);
  });
};

function refused(what: string): Error {
  return new Error(
    `${what} is a private or loopback address; add the webhook with allow_private (--allow-private) if it is meant`,
  );
}

function tooSlow({ timeoutMs }: Sent): Error {
  return new Error(`no answer within ${String(timeoutMs)} ms`);
}
