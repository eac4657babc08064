/** Inboxes: what waits in them, who may put something in, and how they are emptied (N1 of core/message.ts). */
import { slotNotFound } from "../core/errors.ts";
import { newMessageId, slotId } from "../core/ids.ts";
import { checkInbox, checkMessage, coordinator, deliverable, type PoolMessage } from "../core/message.ts";
import { runOver } from "../core/permission.ts";
import type { SqlRow, SqlTx } from "../core/ports.ts";
import type { Change } from "./change.ts";
import { slotNumber } from "./rows.ts";

type Reader = Pick<SqlTx, "all">;

/** All of them or none (C2). */
export async function sendMessage(
  change: Change,
  from: string,
  to: readonly string[] | "slots",
  content: string,
  runId: string | undefined,
): Promise<readonly string[]> {
  checkMessage(content);
  await change.flushSlots();
  if (runId === undefined) await checkParty(change, from);
  else await checkSender(change, from, runId);
  const recipients = to === "slots" ? (await liveSlots(change)).filter((id) => id !== from) : [...new Set(to)];
  for (const recipient of recipients) {
    if (to !== "slots") await checkParty(change, recipient);
    checkInbox(recipient, await unread(change.sql, recipient));
  }
  const ids: string[] = [];
  for (const recipient of recipients) {
    const id = newMessageId();
    await change.sql.run("INSERT INTO message (id, sender, recipient, content, sent_at_ms) VALUES (?, ?, ?, ?, ?)", [
      id,
      from,
      recipient,
      content,
      change.nowMs,
    ]);
    change.emit({ type: "message.sent", data: { messageId: id, from, to: recipient } });
    ids.push(id);
  }
  return ids;
}

/** In order; a slot that has none, or is stopped, has an empty inbox. @throws {PoolError} `slot_not_found`. */
export async function peekMessages(sql: Reader, recipient: string): Promise<readonly PoolMessage[]> {
  await checkKnown(sql, recipient);
  return (await sql.all("SELECT * FROM message WHERE recipient = ? ORDER BY number", [recipient])).map(messageOf);
}

/** The first so many leave the inbox; without a limit all of them. */
export async function readMessages(
  change: Change,
  recipient: string,
  limit = Infinity,
): Promise<readonly PoolMessage[]> {
  const messages = (await peekMessages(change.sql, recipient)).slice(0, limit);
  if (messages.length === 0) return messages;
  await change.sql.run("DELETE FROM message WHERE recipient = ? AND id IN (SELECT value FROM json_each(?))", [
    recipient,
    JSON.stringify(messages.map(({ id }) => id)),
  ]);
  change.emit({ type: "message.read", data: { to: recipient, messageIds: messages.map(({ id }) => id) } });
  return messages;
}

export async function countMessages(sql: Reader, recipient: string): Promise<number> {
  await checkKnown(sql, recipient);
  return unread(sql, recipient);
}

async function unread(sql: Reader, recipient: string): Promise<number> {
  const [row] = await sql.all("SELECT COUNT(*) AS n FROM message WHERE recipient = ?", [recipient]);
  return Number(row?.n);
}

/** What the next run of a slot is given; asked for by every run, so it reads no more than it may give. */
export async function messagesFor(sql: Reader, slot: string): Promise<readonly PoolMessage[]> {
  const rows = await sql.all("SELECT * FROM message WHERE recipient = ? ORDER BY number LIMIT 200", [slot]);
  return deliverable(rows.map(messageOf));
}

/** The run that carried these is committed: they leave the inbox, unless somebody read them meanwhile. */
export async function acknowledgeMessages(
  change: Change,
  slot: string,
  runId: string,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return;
  await change.sql.run("DELETE FROM message WHERE recipient = ? AND id IN (SELECT value FROM json_each(?))", [
    slot,
    JSON.stringify(ids),
  ]);
  change.emit({ type: "message.read", slotId: slot, data: { to: slot, messageIds: ids, runId } });
}

/** Nobody will read what waits for a slot that has stopped: its id is never used again. */
export async function dropMessages(change: Change, slot: string): Promise<void> {
  const dropped = await change.sql.run("DELETE FROM message WHERE recipient = ?", [slot]);
  if (dropped > 0) change.emit({ type: "message.dropped", slotId: slot, data: { to: slot, count: dropped } });
}

/** Only what can still take a task can be written to, or write. @throws {PoolError} `slot_not_found`. */
async function checkParty(change: Change, party: string): Promise<void> {
  if (party === coordinator || (await liveSlots(change)).includes(party)) return;
  throw slotNotFound(party);
}

/** A worker writes while its run holds the task, from a slot that drains too. @throws {PoolError} `run_over`. */
async function checkSender({ sql }: Change, slot: string, runId: string): Promise<void> {
  const rows = await sql.all(
    "SELECT 1 FROM run INDEXED BY run_open WHERE run_id = ? AND slot_id = ? AND ended_at_ms IS NULL",
    [runId, slot],
  );
  if (rows.length === 0) throw runOver(runId);
}

async function checkKnown(sql: Reader, party: string): Promise<void> {
  if (party === coordinator) return;
  const rows = await sql.all("SELECT 1 FROM slot WHERE number = ?", [slotNumber(party)]);
  if (rows.length === 0) throw slotNotFound(party);
}

async function liveSlots({ sql }: Change): Promise<readonly string[]> {
  const rows = await sql.all(
    "SELECT number FROM slot INDEXED BY slot_live WHERE state <> 'stopped' AND state <> 'draining' ORDER BY number",
  );
  return rows.map((row) => slotId(Number(row.number)));
}

function messageOf(row: SqlRow): PoolMessage {
  return {
    id: String(row.id),
    from: String(row.sender),
    to: String(row.recipient),
    content: String(row.content),
    sentAtMs: Number(row.sent_at_ms),
  };
}
