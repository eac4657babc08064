/** Hosts come, renew and go; what a dead one leaves is given to exactly one other. */
import { PoolError } from "../core/errors.ts";
import type { SqlTx } from "../core/ports.ts";
import type { Remains } from "../core/runner-port.ts";
import type { HostRecord, RunRecord, TaskRecord } from "../core/task.ts";
import { nextState } from "../core/transitions.ts";

import type { Change } from "./change.ts";
import { cancelledResult, closeRun, endTask, requeue } from "./finish.ts";
import { noteMemory } from "./governor.ts";
import { estimateOf } from "./money.ts";
import { runOf, selectTasks, taskOf } from "./rows.ts";
import { stopSlots } from "./slots.ts";
import { hasWorked } from "./workspaces.ts";

/** A host that was taken for dead while it was alive registers anew under its own id. */
export async function startHost(change: Change, host: HostRecord): Promise<void> {
  await change.sql.run(
    `INSERT INTO host (id, kind, pid, start_time, boot_id, hostname, started_at_ms, lease_until_ms, state, target_slots)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET lease_until_ms = excluded.lease_until_ms, state = excluded.state,
        recovered_by = NULL, ended_at_ms = NULL`,
    [
      host.id,
      host.kind,
      host.pid,
      host.startTime,
      host.bootId,
      host.hostname,
      host.startedAtMs,
      host.leaseUntilMs,
      host.state,
      host.targetSlots,
    ],
  );
  change.emit({ type: "host.started", data: { hostId: host.id, kind: host.kind } });
}

/** False: it was taken for dead, and what it had was given on. */
export async function renewHost(change: Change, hostId: string, leaseUntilMs: number): Promise<boolean> {
  const renew = "UPDATE host SET lease_until_ms = ? WHERE id = ? AND state = 'alive'";
  return (await change.sql.run(renew, [leaseUntilMs, hostId])) > 0;
}

export async function endHost(change: Change, hostId: string): Promise<void> {
  const { sql } = change;
  const ended = await sql.run("UPDATE host SET state = 'ended', ended_at_ms = ? WHERE id = ? AND state <> 'ended'", [
    change.nowMs,
    hostId,
  ]);
  if (ended === 0) return;
  for (const { task } of await runningOf(sql, hostId)) await putBack(change, task, {}, estimateOf(change.pool));
  await stopSlots(change, hostId);
  await noteMemory(change, hostId, false);
  // What it was recovering is anybody's again, at once and not when its lease is over.
  await sql.run("UPDATE host SET recovered_by = NULL WHERE recovered_by = ? AND state = 'recovering'", [hostId]);
  change.emit({ type: "host.ended", data: { hostId } });
}

/** Holds for one recovering host at a time; a recoverer that is not alive any more, or whose lease is over, loses it. */
export async function claimRecovery(change: Change, deadHostId: string, byHostId: string): Promise<boolean> {
  const { sql, nowMs } = change;
  const [dead] = await sql.all("SELECT state, recovered_by FROM host WHERE id = ?", [deadHostId]);
  if (dead === undefined || dead.state === "ended" || deadHostId === byHostId) return false;
  if (dead.recovered_by === byHostId) return true;
  if (dead.recovered_by !== null) {
    const [other] = await sql.all("SELECT state, lease_until_ms FROM host WHERE id = ?", [dead.recovered_by ?? null]);
    if (other?.state === "alive" && Number(other.lease_until_ms) > nowMs) return false;
  }
  await sql.run("UPDATE host SET state = 'recovering', recovered_by = ? WHERE id = ?", [byHostId, deadHostId]);
  if (dead.state === "alive") {
    const tasks = (await runningOf(sql, deadHostId)).length;
    change.emit({ type: "host.lost", data: { hostId: deadHostId, tasks } });
  }
  return true;
}

export interface RunningTask {
  readonly task: TaskRecord;
  readonly run: RunRecord;
  readonly hasWorked: boolean;
}

export async function runningOf(sql: Pick<SqlTx, "all">, hostId: string): Promise<readonly RunningTask[]> {
  const rows = await sql.all(
    `${selectTasks("task INDEXED BY task_running")} WHERE state = 'running' AND host_id = ? ORDER BY task.seq`,
    [hostId],
  );
  const running: RunningTask[] = [];
  for (const row of rows) {
    const [run] = await sql.all("SELECT * FROM run WHERE task_seq = ? AND attempt = ?", [
      row.seq ?? null,
      row.attempt ?? null,
    ]);
    if (run === undefined) continue;
    const task = taskOf(row);
    running.push({ task, run: runOf({ ...run, task_id: row.id ?? null }), hasWorked: await hasWorked(sql, task) });
  }
  return running;
}

/** No-op for a run that is closed already. */
export async function recoverRun(change: Change, runId: string, remains: Remains, estimate: number): Promise<void> {
  const task = await taskOfOpenRun(change, runId);
  if (task !== undefined) await putBack(change, task, remains, estimate);
}

export async function setTargetSlots(
  change: Change,
  hostId: string,
  targetOf: (present: number) => number,
  by?: "auto",
): Promise<number> {
  const [host] = await change.sql.all("SELECT target_slots FROM host WHERE id = ? AND state = 'alive'", [hostId]);
  if (host === undefined) throw noHost(hostId);
  const target = targetOf(Number(host.target_slots));
  if (host.target_slots === target) return target;
  await change.sql.run("UPDATE host SET target_slots = ? WHERE id = ?", [target, hostId]);
  const auto = by === undefined ? {} : { auto: true };
  change.emit({ type: "host.scaled", data: { hostId, targetSlots: target, ...auto } });
  return target;
}

/**
 * A host's death is not the task's fault, so it does not count into its lost runs; a task that somebody asked to cancel
 * ends so.
 */
async function putBack(change: Change, task: TaskRecord, remains: Remains, estimate: number): Promise<void> {
  const cost = remains.costMicrodollars ?? Math.ceil(estimate);
  const result = {
    costMicrodollars: cost,
    turnsUsed: 0,
    reason: "lost" as const,
    ...(remains.costMicrodollars === undefined ? { costEstimated: true } : {}),
    ...(remains.sessionId === undefined ? {} : { sessionId: remains.sessionId }),
  };
  await closeRun(change, task, { outcome: "lost", result }, task.cwd ?? "");
  if (task.cancelRequestedAtMs === undefined) {
    const state = nextState(task.state, "release", task.id);
    const resumeSessionId = remains.sessionId ?? task.resumeSessionId;
    await requeue(change, task, state, { reason: "lost", lostRuns: task.lostRuns, cost, resumeSessionId });
    return;
  }
  const elapsedMs = Math.max(0, change.nowMs - (task.startedAtMs ?? change.nowMs));
  const ended = cancelledResult({ ...result, output: "", success: false, elapsedMs });
  const state = nextState(task.state, "cancel", task.id);
  await endTask(change, task, state, ended, task.lostRuns);
}

async function taskOfOpenRun(change: Change, runId: string): Promise<TaskRecord | undefined> {
  const [row] = await change.sql.all(
    `${selectTasks("run INDEXED BY run_open JOIN task ON task.seq = run.task_seq")}
      WHERE run.run_id = ? AND run.ended_at_ms IS NULL AND task.state = 'running' AND task.run_id = run.run_id`,
    [runId],
  );
  return row === undefined ? undefined : taskOf(row);
}

function noHost(hostId: string): PoolError {
  return new PoolError(
    "no_host",
    `Host ${hostId} is not alive: it has ended, or was taken for dead and its tasks were given on. Open the pool again.`,
    { hostId },
  );
}
