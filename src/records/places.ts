/**
 * The directories that the pool made to work in, and who holds them (Q7 of schema-3.ts).
 *
 * P1. A place has one holder at a time: a slot that is not stopped, or a task or chain that has not ended.
 * P2. Numbers are never used twice, so what is still being removed is never another's new place.
 */
import { defined } from "../core/config.ts";
import { taskNotFound } from "../core/errors.ts";
import { slotId } from "../core/ids.ts";
import type { Sql, SqlRow, SqlTx, SqlValue } from "../core/ports.ts";
import type { PlaceRequest } from "../core/records.ts";
import type { Place } from "../core/workspace.ts";
import type { Change } from "./change.ts";
import { slotNumber } from "./rows.ts";

/** The place that the holder has, else a free one of the repository, else a new one. */
export async function takePlace(change: Change, request: PlaceRequest): Promise<Place> {
  await change.flushSlots();
  const holder = await holderOf(change, request);
  const found = (await ownPlace(change.sql, request, holder)) ?? (await freePlace(change.sql, request));
  const number = found === undefined ? await newPlace(change, request) : Number(found.number);
  await change.sql.run("UPDATE place SET slot_number = ?, task_seq = ? WHERE number = ?", [
    holder.slotNumber,
    holder.taskSeq,
    number,
  ]);
  const [row] = await change.sql.all(`${selectPlaces} WHERE place.number = ?`, [number]);
  if (row === undefined) throw new Error(`Place ${String(number)} is gone in the transaction that took it.`);
  return placeOf(row);
}

export async function listPlaces(sql: Pick<Sql, "all">): Promise<readonly Place[]> {
  return (await sql.all(`${selectPlaces} ORDER BY place.number`)).map(placeOf);
}

/** Forgets a place that nobody holds; false: somebody does. */
export async function dropPlace(change: Change, number: number): Promise<boolean> {
  await change.flushSlots();
  const free = await change.sql.run(`DELETE FROM place WHERE number = ? AND NOT (${isHeld})`, [number]);
  return free > 0;
}

const slotHolds = `EXISTS (SELECT 1 FROM slot WHERE slot.number = place.slot_number AND slot.state <> 'stopped')`;
const taskHolds = `EXISTS (SELECT 1 FROM task WHERE task.seq = place.task_seq AND task.completed_at_ms IS NULL)`;
const isHeld = `${slotHolds} OR ${taskHolds}`;

const selectPlaces = `SELECT place.number, kind, repository, path, created_at_ms,
    CASE WHEN ${slotHolds} THEN slot_number END AS slot_number,
    (SELECT task.id FROM task WHERE task.seq = place.task_seq AND task.completed_at_ms IS NULL) AS task_id
  FROM place`;

interface Holder {
  readonly slotNumber: SqlValue;
  readonly taskSeq: SqlValue;
}

/** @throws {PoolError} `task_not_found`. */
async function holderOf({ sql }: Change, { holder }: PlaceRequest): Promise<Holder> {
  if ("slotId" in holder) return { slotNumber: slotNumber(holder.slotId), taskSeq: null };
  const [row] = await sql.all("SELECT seq FROM task WHERE id = ?", [holder.taskId]);
  if (row === undefined) throw taskNotFound(holder.taskId);
  return { slotNumber: null, taskSeq: Number(row.seq) };
}

async function ownPlace(
  sql: SqlTx,
  { kind, repository }: PlaceRequest,
  { slotNumber: number, taskSeq }: Holder,
): Promise<SqlRow | undefined> {
  const [row] = await sql.all(
    "SELECT number FROM place WHERE kind = ? AND repository = ? AND slot_number IS ? AND task_seq IS ? ORDER BY number LIMIT 1",
    [kind, repository, number, taskSeq],
  );
  return row;
}

async function freePlace(sql: SqlTx, { kind, repository, prefer }: PlaceRequest): Promise<SqlRow | undefined> {
  const [row] = await sql.all(
    `SELECT number FROM place WHERE kind = ? AND repository = ? AND NOT (${isHeld})
      ORDER BY path IS NOT ?, number LIMIT 1`,
    [kind, repository, prefer ?? null],
  );
  return row;
}

async function newPlace({ sql, pool, nowMs }: Change, { kind, repository, pathOf }: PlaceRequest): Promise<number> {
  pool.place_number += 1; // P2
  const number = pool.place_number;
  await sql.run("INSERT INTO place (number, kind, repository, path, created_at_ms) VALUES (?, ?, ?, ?, ?)", [
    number,
    kind,
    repository,
    pathOf(number),
    nowMs,
  ]);
  return number;
}

function placeOf(row: SqlRow): Place {
  return defined<Place>({
    number: Number(row.number),
    kind: row.kind as Place["kind"],
    repository: String(row.repository),
    path: String(row.path),
    slotId: row.slot_number === null ? undefined : slotId(Number(row.slot_number)),
    taskId: row.task_id === null ? undefined : String(row.task_id),
    createdAtMs: Number(row.created_at_ms),
  });
}
