/** Webhooks, as `pool.webhooks`. */
import { randomBytes, randomUUID } from "node:crypto";
import { isIP } from "node:net";
import { invalidOptions, PoolError } from "./core/errors.ts";
import type { Clock, Processes } from "./core/ports.ts";
import { isOwnerGone, ownerOf, type ProcessOwner } from "./core/process-owner.ts";
import type { Records } from "./core/records.ts";
import type { NewWebhook, WebhookRecord, WebhookSpec, WebhookTest } from "./core/webhook.ts";
import { parseWebhook } from "./schema/webhook.ts";
import { startCourier } from "./webhooks/courier.ts";
import { isPrivateAddress } from "./webhooks/private-address.ts";
import { send } from "./webhooks/send.ts";

interface WebhookParts {
  readonly records: Records;
  readonly clock: Clock;
  readonly processes: Processes;
  readonly machine: Pick<ProcessOwner, "bootId" | "hostname">;
  readonly report: (error: unknown) => void;
}

/** The longest that an address may take to answer a test. */
const testTimeoutMs = 10_000;

/** Addresses that are told when tasks, chains and drains are over: signed, and tried again until they took it. */
export class PoolWebhooks {
  readonly #parts: WebhookParts;
  #stop: (() => Promise<void>) | undefined;

  constructor(parts: WebhookParts) {
    this.#parts = parts;
  }

  /**
   * Adds an address; the `secret`, with which receivers check the signatures, is shown this once.
   *
   * @throws {PoolError} `invalid_options`, also for a private or loopback address without `allowPrivate`.
   * @example const { secret } = await pool.webhooks.add({ url: "https://ci.example/pool", events: ["task_failed"] });
   */
  async add(webhook: WebhookSpec): Promise<WebhookRecord & { readonly secret: string }> {
    const { url, events = [], allowPrivate = false } = parseWebhook(webhook);
    refusePrivate(url, allowPrivate);
    const secret = `whsec_${randomBytes(32).toString("base64")}`;
    const added: NewWebhook = { id: `wh_${randomBytes(9).toString("hex")}`, url, events, allowPrivate, secret };
    return { ...(await this.#parts.records.addWebhook(added)), secret };
  }

  /** Every address, with what became of its deliveries; without its secret. */
  list(): Promise<readonly WebhookRecord[]> {
    return this.#parts.records.webhooks();
  }

  /** Removes an address, and the deliveries that wait for it. @throws {PoolError} `webhook_not_found`. */
  async remove(id: string): Promise<void> {
    if (!(await this.#parts.records.removeWebhook(id))) throw notFound(id);
  }

  /** Sends a delivery of the event `test` now, from this process, and says what came of it. @throws {PoolError} `webhook_not_found`. */
  async test(id: string): Promise<WebhookTest> {
    const { records, clock } = this.#parts;
    const target = await records.webhookTarget(id);
    if (target === undefined) throw notFound(id);
    const [nowMs, begun] = [clock.now(), clock.monotonic()];
    const payload = JSON.stringify({ event: "test", timestamp_ms: nowMs, data: { webhook_id: id } });
    const sent = { id: `msg_test_${randomUUID()}`, payload, nowMs, timeoutMs: testTimeoutMs };
    const answer = await send(target, sent).then(
      (status) => ({ delivered: status >= 200 && status < 300, status }),
      (error: unknown) => ({ delivered: false, error: error instanceof Error ? error.message : String(error) }),
    );
    return { ...answer, elapsedMs: Math.round(clock.monotonic() - begun) };
  }

  /**
   * Delivers from this process, until the pool is closed, whenever no other process does; hosts of kind `serve` and `mcp`
   * do so by themselves.
   */
  deliver(): void {
    const { records, clock, processes, machine, report } = this.#parts;
    this.#stop ??= startCourier({
      records,
      clock,
      report,
      // A process may have several pools open, and each of them is one that delivers.
      holder: JSON.stringify({ id: randomUUID(), ...ownerOf(processes, machine) }),
      // Versions before this one wrote a name there, of which nothing can be told.
      isGone: (holder) => holder.startsWith("{") && isOwnerGone(JSON.parse(holder) as ProcessOwner, processes, machine),
    });
  }

  /** Ends what `deliver` began; called by the pool as it closes. */
  async stop(): Promise<void> {
    await this.#stop?.();
    this.#stop = undefined;
  }
}

/** What the address says by itself; a name is looked at each time it is connected to. */
function refusePrivate(url: string, allowPrivate: boolean): void {
  const host = new URL(url).hostname.replace(/^\[|\]$|\.$/g, "");
  if (
    allowPrivate ||
    !(host === "localhost" || host.endsWith(".localhost") || (isIP(host) !== 0 && isPrivateAddress(host)))
  )
    return;
  throw invalidOptions(
    `url: ${host} is a private or loopback address. Add the webhook with \`allow_private\` if it is meant.`,
    "url",
  );
}

function notFound(id: string): PoolError {
  return new PoolError(
    "webhook_not_found",
    `No webhook ${JSON.stringify(id)} in this pool. \`claude-pool webhook list\` shows the ids.`,
    {
      webhookId: id,
    },
  );
}
