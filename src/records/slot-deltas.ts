/** What runs do to their slots within one transaction, added up and written once per slot. */
import type { SqlTx, SqlValue } from "../core/ports.ts";
import { slotNumber } from "./rows.ts";

/** What the end of a run leaves on its slot. */
export interface SlotRelease {
  readonly taskId: string;
  readonly completed: boolean;
  readonly costMicrodollars: number;
  readonly sessionId: string | undefined;
  readonly cwd: string;
}

export interface SlotDeltas {
  readonly release: (id: string, release: SlotRelease) => void;
  readonly occupy: (id: string, taskId: string) => void;
  readonly flush: () => Promise<void>;
}

export function slotDeltas(sql: SqlTx): SlotDeltas {
  const slots = new Map<string, SlotDelta>();
  function deltaOf(id: string): SlotDelta {
    let delta = slots.get(id);
    if (delta === undefined) {
      delta = { left: undefined, task: undefined, completed: 0, cost: 0, sessionId: null, sessionCwd: null };
      slots.set(id, delta);
    }
    return delta;
  }
  return {
    release(id, release) {
      const delta = deltaOf(id);
      if (delta.task === release.taskId) delta.task = undefined;
      else delta.left ??= release.taskId;
      delta.completed += release.completed ? 1 : 0;
      delta.cost += release.costMicrodollars;
      if (release.sessionId === undefined) return;
      delta.sessionId = release.sessionId;
      delta.sessionCwd = release.cwd;
    },
    occupy(id, taskId) {
      deltaOf(id).task = taskId;
    },
    async flush() {
      for (const [id, delta] of slots) {
        const params = slotParams(id, delta);
        const isExchange = delta.task !== undefined && delta.left !== undefined;
        if (isExchange && (await sql.run(slotExchange, params)) > 0) continue;
        await sql.run(slotUpdate, params);
      }
      slots.clear();
    },
  };
}

interface SlotDelta {
  /** The task that the slot had when the transaction began and that has left it. */
  left: string | undefined;
  /** The task that has it now. */
  task: string | undefined;
  completed: number;
  cost: number;
  sessionId: string | null;
  sessionCwd: string | null;
}

// A slot that drains or is errored stays so; a run that lost its slot to a newer one does not clear that one's task.
const slotUpdate = `UPDATE slot SET
  state = CASE WHEN ?1 IS NOT NULL AND state = 'idle' THEN 'busy'
               WHEN ?1 IS NULL AND state = 'busy' AND current_task = ?2 THEN 'idle' ELSE state END,
  current_task = CASE WHEN ?1 IS NOT NULL THEN ?1 WHEN current_task = ?2 THEN NULL ELSE current_task END,
  tasks_completed = tasks_completed + ?3, cost = cost + ?4,
  session_id = COALESCE(?5, session_id), session_cwd = COALESCE(?6, session_cwd)
  WHERE number = ?7`;

// The usual case on a busy pool, a task after a task: without `state`, so that no index of it is touched.
const slotExchange = `UPDATE slot SET current_task = ?1, tasks_completed = tasks_completed + ?3, cost = cost + ?4,
  session_id = COALESCE(?5, session_id), session_cwd = COALESCE(?6, session_cwd)
  WHERE number = ?7 AND state <> 'idle' AND current_task = ?2`;

function slotParams(id: string, delta: SlotDelta): readonly SqlValue[] {
  const { task, left, completed, cost, sessionId, sessionCwd } = delta;
  return [task ?? null, left ?? null, completed, cost, sessionId, sessionCwd, slotNumber(id)];
}
