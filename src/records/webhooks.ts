/**
 * Webhooks, the deliveries that wait, and who delivers.
 *
 * D1. What events make of deliveries is written together with how far the log has been read, by the one process that holds
 *     the right to: a crash loses none and doubles none.
 * D2. A delivery leaves its table only once its end is known: a crash between sending and that sends it again, under the
 *     same id.
 */
import { defined } from "../core/config.ts";
import type { SqlRow, SqlTx } from "../core/ports.ts";
import type { Attempt, Delivery, NewWebhook, Notice, WebhookEvent, WebhookRecord } from "../core/webhook.ts";
import type { Change } from "./change.ts";

type Reader = Pick<SqlTx, "all">;

export async function addWebhook(change: Change, webhook: NewWebhook): Promise<WebhookRecord> {
  const { sql, nowMs, pool } = change;
  const { id, url, events, secret, allowPrivate } = webhook;
  const [known] = await sql.all("SELECT 1 FROM webhook LIMIT 1");
  // What happened while there was none is nobody's to be told.
  if (known === undefined) await sql.run("UPDATE webhook_courier SET cursor = ?", [pool.event_seq]);
  await sql.run(
    "INSERT INTO webhook (id, url, events, secret, allow_private, created_at_ms, after_seq) VALUES (?, ?, ?, ?, ?, ?, ?)",
    [id, url, JSON.stringify(events), secret, allowPrivate ? 1 : 0, nowMs, pool.event_seq],
  );
  change.emit({ type: "webhook.added", data: { webhookId: id } });
  return { id, url, events, allowPrivate, createdAtMs: nowMs, pending: 0, delivered: 0, failed: 0 };
}

export async function webhooks(sql: Reader): Promise<readonly WebhookRecord[]> {
  const rows = await sql.all(
    `SELECT webhook.*, (SELECT count(*) FROM webhook_delivery WHERE webhook_id = webhook.id) AS pending
      FROM webhook ORDER BY created_at_ms, id`,
  );
  return rows.map(webhookOf);
}

export async function webhookTarget(sql: Reader, id: string): Promise<Delivery["webhook"] | undefined> {
  const [row] = await sql.all("SELECT id, url, secret, allow_private FROM webhook WHERE id = ?", [id]);
  return row === undefined ? undefined : targetOf(row);
}

export async function removeWebhook(change: Change, id: string): Promise<boolean> {
  if ((await change.sql.run("DELETE FROM webhook WHERE id = ?", [id])) === 0) return false;
  await change.sql.run("DELETE FROM webhook_delivery WHERE webhook_id = ?", [id]);
  change.emit({ type: "webhook.removed", data: { webhookId: id } });
  return true;
}

export async function holdCourier(
  { sql, nowMs }: Change,
  holder: string,
  untilMs: number,
  isGone: (holder: string) => boolean = () => false,
): Promise<number | undefined> {
  const [row] = await sql.all("SELECT holder, until_ms, cursor FROM webhook_courier");
  if (row === undefined) throw new Error("the table of who delivers is empty");
  const isAnothers = row.holder !== null && row.holder !== holder && Number(row.until_ms) > nowMs;
  if (isAnothers && !isGone(String(row.holder))) return undefined;
  await sql.run("UPDATE webhook_courier SET holder = ?, until_ms = ?", [holder, untilMs]);
  return Number(row.cursor);
}

export async function leaveCourier({ sql }: Change, holder: string): Promise<void> {
  await sql.run("UPDATE webhook_courier SET holder = NULL, until_ms = 0 WHERE holder = ?", [holder]);
}

/** D1 */
export async function writeDeliveries(
  { sql, nowMs }: Change,
  holder: string,
  upTo: number,
  notices: readonly Notice[],
): Promise<boolean> {
  const moved = await sql.run("UPDATE webhook_courier SET cursor = ? WHERE holder = ? AND cursor <= ?", [
    upTo,
    holder,
    upTo,
  ]);
  if (moved === 0) return false;
  const targets = await sql.all("SELECT id, events, after_seq FROM webhook");
  for (const target of targets) {
    const wanted = JSON.parse(String(target.events)) as readonly WebhookEvent[];
    for (const { seq, event, payload } of notices) {
      if (seq <= Number(target.after_seq) || (wanted.length > 0 && !wanted.includes(event))) continue;
      const id = deliveryId(String(target.id), seq);
      await sql.run("INSERT OR IGNORE INTO webhook_delivery (id, webhook_id, payload, due_at_ms) VALUES (?, ?, ?, ?)", [
        id,
        target.id ?? null,
        payload,
        nowMs,
      ]);
    }
  }
  return true;
}

export async function dueDeliveries(sql: Reader, nowMs: number, limit: number): Promise<readonly Delivery[]> {
  const rows = await sql.all(
    `SELECT delivery.id AS delivery_id, delivery.payload, delivery.attempts, webhook.id, webhook.url, webhook.secret, webhook.allow_private
      FROM webhook_delivery AS delivery JOIN webhook ON webhook.id = delivery.webhook_id
      WHERE delivery.due_at_ms <= ? ORDER BY delivery.due_at_ms LIMIT ? + 0`,
    [nowMs, limit],
  );
  return rows.map((row) => ({
    id: String(row.delivery_id),
    payload: String(row.payload),
    attempts: Number(row.attempts),
    webhook: targetOf(row),
  }));
}

export async function nextDeliveryMs(sql: Reader): Promise<number | undefined> {
  const [row] = await sql.all("SELECT min(due_at_ms) AS due FROM webhook_delivery");
  return row === undefined || row.due === null ? undefined : Number(row.due);
}

/** D2 */
export async function noteAttempts({ sql, nowMs }: Change, attempts: readonly Attempt[]): Promise<void> {
  for (const { deliveryId: id, error, retryAtMs } of attempts) {
    const [row] = await sql.all("SELECT webhook_id FROM webhook_delivery WHERE id = ?", [id]);
    if (row === undefined) continue; // removed meanwhile, with its webhook
    const isOver = retryAtMs === undefined;
    if (isOver) await sql.run("DELETE FROM webhook_delivery WHERE id = ?", [id]);
    else
      await sql.run("UPDATE webhook_delivery SET attempts = attempts + 1, due_at_ms = ? WHERE id = ?", [retryAtMs, id]);
    await sql.run(
      `UPDATE webhook SET delivered = delivered + ?, failed = failed + ?, last_error = ?, last_attempt_at_ms = ? WHERE id = ?`,
      [
        error === undefined ? 1 : 0,
        error !== undefined && isOver ? 1 : 0,
        error ?? null,
        nowMs,
        row.webhook_id ?? null,
      ],
    );
  }
}

/** Of the webhook and the event alone, so that whoever writes it writes the same. */
function deliveryId(webhookId: string, seq: number): string {
  return `${webhookId.replace(/^wh_/, "msg_")}_${String(seq)}`;
}

function targetOf(row: SqlRow): Delivery["webhook"] {
  return {
    id: String(row.id),
    url: String(row.url),
    secret: String(row.secret),
    allowPrivate: row.allow_private === 1,
  };
}

function webhookOf(row: SqlRow): WebhookRecord {
  return defined<WebhookRecord>({
    id: String(row.id),
    url: String(row.url),
    events: JSON.parse(String(row.events)) as readonly WebhookEvent[],
    allowPrivate: row.allow_private === 1,
    createdAtMs: Number(row.created_at_ms),
    pending: Number(row.pending),
    delivered: Number(row.delivered),
    failed: Number(row.failed),
    lastError: row.last_error === null ? undefined : String(row.last_error),
    lastAttemptAtMs: row.last_attempt_at_ms === null ? undefined : Number(row.last_attempt_at_ms),
  });
}
