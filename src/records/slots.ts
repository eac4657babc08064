/** Slots: their numbers come from a counter of the pool and are never used twice. */
import { defined } from "../core/config.ts";
import { slotNotFound } from "../core/errors.ts";
import type { EventType, NewEvent } from "../core/events.ts";
import { slotId } from "../core/ids.ts";
import type { SqlRow } from "../core/ports.ts";
import type { Records } from "../core/records.ts";
import type { SlotConfig, SlotRecord, SlotState } from "../core/task.ts";
import type { Change } from "./change.ts";
import { dropMessages } from "./messages.ts";
import { slotNumber, slotOf } from "./rows.ts";

export type SlotPatch = Parameters<Records["updateSlot"]>[1];

export async function addSlots(
  change: Change,
  hostId: string,
  configs: readonly SlotConfig[],
): Promise<readonly SlotRecord[]> {
  const added: SlotRecord[] = [];
  for (const config of configs) {
    change.pool.slot_number += 1;
    const number = change.pool.slot_number;
    const [row] = await change.sql.all(
      "INSERT INTO slot (number, host_id, state, config) VALUES (?, ?, 'idle', ?) RETURNING *",
      [number, hostId, JSON.stringify(config)],
    );
    if (row !== undefined) added.push(slotOf(row));
    change.emit({ type: "slot.started", slotId: slotId(number), data: { hostId } });
  }
  return added;
}

export async function updateSlot(change: Change, id: string, patch: SlotPatch): Promise<SlotRecord> {
  await change.flushSlots();
  const before = await slotRow(change, id);
  const state = patch.state ?? (before.state as SlotState);
  const config =
    patch.config === undefined
      ? before.config
      : JSON.stringify({ ...(JSON.parse(String(before.config)) as SlotConfig), ...patch.config });
  const process = patch.process === undefined ? before.process : patch.process && JSON.stringify(patch.process);
  const error = patch.error === undefined ? before.error : patch.error;
  const [after] = await change.sql.all(
    `UPDATE slot SET state = ?, config = ?, process = ?, error = ? WHERE number = ? RETURNING *`,
    [state, config ?? null, process ?? null, error ?? null, slotNumber(id)],
  );
  if (patch.config !== undefined && config !== before.config)
    change.emit({ type: "slot.configured", slotId: id, data: {} });
  if (state !== before.state) tellState(change, id, state, patch);
  if (state === "stopped") await dropMessages(change, id);
  return slotOf(after ?? before);
}

export async function stopSlots(change: Change, hostId: string): Promise<void> {
  await change.flushSlots();
  const rows = await change.sql.all(
    "SELECT number FROM slot WHERE host_id = ? AND state <> 'stopped' ORDER BY number",
    [hostId],
  );
  await change.sql.run(
    "UPDATE slot SET state = 'stopped', current_task = NULL, process = NULL WHERE host_id = ? AND state <> 'stopped'",
    [hostId],
  );
  for (const row of rows) {
    const id = slotId(Number(row.number));
    change.emit({ type: "slot.stopped", slotId: id, data: {} });
    await dropMessages(change, id);
  }
}

function tellState(change: Change, id: string, state: SlotState, patch: SlotPatch): void {
  const event = stateEvents[state];
  if (event === undefined) return;
  const { error, failures, restartAtMs } = patch;
  const data = state === "errored" ? { error: error ?? "", ...defined({ failures, restartAtMs }) } : {};
  change.emit({ type: event, slotId: id, data } as NewEvent);
}

const stateEvents: Partial<Record<SlotState, EventType>> = {
  draining: "slot.draining",
  stopped: "slot.stopped",
  errored: "slot.errored",
};

/** @throws {PoolError} `slot_not_found`. */
async function slotRow(change: Change, id: string): Promise<SqlRow> {
  const [row] = await change.sql.all("SELECT * FROM slot WHERE number = ?", [slotNumber(id)]);
  if (row === undefined) throw slotNotFound(id);
  return row;
}
