/** The three streams: `GET /v1/tasks/:id/stream`, `GET /v1/chains/:id/stream`, `GET /v1/pool/events`. */
import type { ServerResponse } from "node:http";
import { isTerminal, type TaskRecord } from "../core/task.ts";
import { toWire } from "../core/wire.ts";
import type { Pool } from "../pool.ts";
import { invalidOptions } from "../core/errors.ts";
import { hubEvent, message, type EventHub } from "./event-hub.ts";
import { stream, type StreamOptions, type View } from "./stream.ts";
import { chainView, isEnd, poolView, taskView } from "./views.ts";

export interface StreamRoute {
  readonly path: string;
  readonly name: string;
  readonly summary: string;
  readonly tag: string;
  /** What is told, and from where; undefined: it is all told, and the client need not come back. */
  readonly open: (pool: Pool, id: string, after: number | undefined, hub: EventHub) => Promise<Opened | undefined>;
}

interface Opened {
  readonly view: View;
  readonly after: number;
  readonly greeting: string;
  readonly summary?: () => Promise<string>;
}

export const streamRoutes: readonly StreamRoute[] = [
  {
    path: "/v1/tasks/:id/stream",
    name: "streamTask",
    summary: "The events of a task from its beginning until it ends",
    tag: "tasks",
    async open(pool, id, after) {
      const task = await pool.get(id);
      return openedOf(pool, task, taskView(task.id), after);
    },
  },
  {
    path: "/v1/chains/:id/stream",
    name: "streamChain",
    summary: "The events of a chain and of its steps from its beginning until it ends",
    tag: "chains",
    async open(pool, id, after) {
      const { steps, taskId } = await pool.chainProgress(id);
      const chain = await pool.get(taskId);
      return openedOf(pool, chain, chainView(taskId, steps), after);
    },
  },
  {
    path: "/v1/pool/events",
    name: "streamPool",
    summary: "Every event from now on, or from Last-Event-ID on, and the pool's status at most every two seconds",
    tag: "pool",
    async open(pool, _id, after, hub) {
      const summary = async (): Promise<string> => message("status", toWire(await pool.status()));
      // An id beyond the log's end is of another log, and would hold back all that comes until this one is as long.
      const from = after === undefined ? hub.newest : Math.min(after, await pool.lastEventSeq());
      return { view: poolView(), after: from, greeting: await summary(), summary };
    },
  },
];

/** The cursor that the client named. @throws {PoolError} `invalid_options`. */
export function cursorOf(lastEventId: string | null | undefined): number | undefined {
  if (lastEventId === null || lastEventId === undefined || lastEventId === "") return undefined;
  const seq = Number(lastEventId);
  if (/^\d{1,15}$/.test(lastEventId)) return seq;
  throw invalidOptions("Last-Event-ID: expected the id of an event, a whole number.", "last_event_id");
}

export type StreamParts = Pick<StreamOptions, "hub" | "heartbeatMs" | "stalledMs" | "signal" | "report" | "origin">;

export function play(response: ServerResponse, opened: Opened, parts: StreamParts): ReturnType<typeof stream> {
  return stream(response, { ...parts, ...opened });
}

/** A task that has ended tells its past and is over; without a past that says so, its record does. */
async function openedOf(
  pool: Pool,
  task: TaskRecord,
  view: View,
  after: number | undefined,
): Promise<Opened | undefined> {
  const from = after ?? 0;
  const greeting = ": \n\n";
  if (!isTerminal(task.state) || (await endsAfter(pool, task.id, from))) return { view, after: from, greeting };
  if (after !== undefined) return undefined;
  const { state, id: taskId, result } = task;
  const end = {
    type: "task.finished" as const,
    taskId,
    data: { state, costMicrodollars: result?.costMicrodollars ?? 0, elapsedMs: result?.elapsedMs ?? 0 },
  };
  const told = view.text(hubEvent({ seq: 0, atMs: task.completedAtMs ?? 0, ...end })) ?? "";
  return { view, after: from, greeting: told.replace("id: 0\n", "") };
}

const page = 500;

async function endsAfter(pool: Pool, taskId: string, after: number): Promise<boolean> {
  let cursor = after;
  for (;;) {
    const events = await pool.eventsAfter(cursor, page, taskId);
    if (events.some(isEnd)) return true;
    const last = events.at(-1);
    if (last === undefined || events.length < page) return false;
    cursor = last.seq;
  }
}
