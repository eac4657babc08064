/**
 * Two things that any process may ask of a slot, done in the records at once: to take a task, and to be tried again.
 * The host that owns the slot sees the event and obeys (H2 of engine/host.ts).
 */
import { invalidOptions, PoolError, slotNotFound } from "../core/errors.ts";
import type { SqlRow } from "../core/ports.ts";
import type { Lease } from "../core/records.ts";
import type { SlotConfig, SlotRecord } from "../core/task.ts";
import type { Change } from "./change.ts";
import { leaseTasks } from "./lease.ts";
import { slotNumber, slotOf } from "./rows.ts";

/** The next task for a slot that takes none by itself, by the rules of every other lease. */
export async function claim(change: Change, id: string): Promise<Lease | undefined> {
  const row = await liveSlot(change, id);
  if (change.pool.shutdown === 1) {
    throw new PoolError("pool_shutdown", "The pool is drained: no slot takes work until it is opened again.");
  }
  if ((JSON.parse(String(row.config)) as SlotConfig).pull !== true) {
    throw invalidOptions(
      `${id} takes work by itself, so nothing can be claimed for it. \`claude-pool slots configure ${id} --pull\` changes that.`,
      "slot",
    );
  }
  if (row.state !== "idle") throw slotState(id, row, "only an idle slot can claim a task");
  const hook = { freeSlots: () => [id], choose: () => id, leased: () => undefined };
  const [lease] = await leaseTasks(
    change,
    { hostId: String(row.host_id), ownTasksOnly: row.kind === "attached", hook },
    [id],
  );
  return lease;
}

/** An errored slot takes work again; one that fails once more will be errored once more. */
export async function restartSlot(change: Change, id: string, by: "hand" | "supervisor"): Promise<SlotRecord> {
  const row = await liveSlot(change, id);
  if (row.state !== "errored") throw slotState(id, row, "only an errored slot can be restarted");
  // A run whose end could not be written yet still has it.
  const [after] = await change.sql.all(
    `UPDATE slot SET state = CASE WHEN current_task IS NULL THEN 'idle' ELSE 'busy' END, error = NULL,
      restart_count = restart_count + 1 WHERE number = ? RETURNING *`,
    [slotNumber(id)],
  );
  const record = slotOf(after ?? row);
  change.emit({ type: "slot.restarted", slotId: id, data: { restartCount: record.restartCount, by } });
  return record;
}

/** A slot whose host can obey. @throws {PoolError} `slot_not_found`, `slot_state`. */
async function liveSlot(change: Change, id: string): Promise<SqlRow> {
  await change.flushSlots();
  const [row] = await change.sql.all(
    `SELECT slot.*, host.kind, host.state AS host_state FROM slot JOIN host ON host.id = slot.host_id WHERE number = ?`,
    [slotNumber(id)],
  );
  if (row === undefined) throw slotNotFound(id);
  if (row.host_state !== "alive") throw slotState(id, { ...row, state: "stopped" }, "its host is gone");
  return row;
}

function slotState(id: string, row: SqlRow, why: string): PoolError {
  const state = String(row.state);
  return new PoolError("slot_state", `${id} is ${state}: ${why}. \`claude-pool slots\` shows the states.`, {
    slotId: id,
    state,
  });
}
