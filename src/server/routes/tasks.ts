/** Tasks: submitting, looking, waiting, cancelling; landing.ts has their reviews. */
import { defined } from "../../core/config.ts";
import { PoolError, invalidOptions } from "../../core/errors.ts";
import type { TaskOutcome } from "../../core/outcome.ts";
import type { TaskRecord, TaskSpec } from "../../core/task.ts";
import type { Pool } from "../../pool.ts";
import { eventPageAnswer, fanOutAnswer, acceptedAnswer, runsAnswer } from "../../schema/answers-rest.ts";
import { taskOutcomeAnswer, taskPageAnswer, taskRecordAnswer, waitAnswer } from "../../schema/answers-task.ts";
import { parseListOptions } from "../../schema/calls.ts";
import { taskSpecSchema } from "../../schema/fields.ts";
import { parseTaskSpec } from "../../schema/parse.ts";
import {
  defaultWaitMs,
  eventsQuery,
  fanOutBody,
  parseRest,
  taskQuery,
  waitBody,
  waitQuery,
} from "../../schema/rest.ts";
import type { Asked, Route } from "../route.ts";

const tag = "tasks";

export const taskRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/v1/tasks",
    name: "listTasks",
    summary: "Tasks, newest first; long prompts and answers are cut, the task itself has all of them",
    tag,
    query: taskQuery,
    status: 200,
    answer: taskPageAnswer,
    handle: listTasks,
  },
  {
    method: "POST",
    path: "/v1/tasks",
    name: "submitTask",
    summary: "Submit a task; once this is answered it survives a crash",
    tag,
    body: taskSpecSchema,
    takesKey: true,
    status: 202,
    answer: acceptedAnswer,
    async handle({ pool, body, key }) {
      const task = await pool.submit(withKey(parseTaskSpec(body, "wire"), key));
      return { taskId: task.id, state: (await pool.get(task.id)).state };
    },
  },
  {
    method: "POST",
    path: "/v1/tasks/fan-out",
    name: "fanOut",
    summary: "Submit many tasks, all or none, and wait for them",
    tag,
    body: fanOutBody,
    takesKey: true,
    status: 200,
    answer: fanOutAnswer,
    handle: fanOut,
  },
  {
    method: "POST",
    path: "/v1/tasks/wait",
    name: "waitForTasks",
    summary: "Wait for one or all of several tasks",
    tag,
    body: waitBody,
    status: 200,
    answer: waitAnswer,
    handle({ pool, body, signal }) {
      const { taskIds, mode, timeoutMs = defaultWaitMs } = parseRest(waitBody, body);
      return pool.wait(taskIds, { timeoutMs, signal, ...(mode === undefined ? {} : { mode }) });
    },
  },
  {
    method: "GET",
    path: "/v1/tasks/:id",
    name: "getTask",
    summary: "A task as it is stored",
    tag,
    status: 200,
    answer: taskRecordAnswer,
    handle: ({ pool, param }) => pool.get(param("id")),
  },
  {
    method: "DELETE",
    path: "/v1/tasks/:id",
    name: "cancelTask",
    summary: "Cancel a task; when this is answered, no process of it is alive",
    tag,
    status: 204,
    async handle({ pool, param }) {
      await pool.cancel(param("id"));
    },
  },
  {
    method: "GET",
    path: "/v1/tasks/:id/result",
    name: "getResult",
    summary: "A task's state, and its result if there is one",
    tag,
    status: 200,
    answer: taskOutcomeAnswer,
    handle: ({ pool, param }) => pool.result(param("id")),
  },
  {
    method: "GET",
    path: "/v1/tasks/:id/wait",
    name: "waitForTask",
    summary: "Wait for a task to end, or to come to its review",
    tag,
    query: waitQuery,
    status: 200,
    answer: waitAnswer,
    handle({ pool, param, query, signal }) {
      const { timeoutMs = defaultWaitMs } = parseRest(waitQuery, query);
      return pool.wait(param("id"), { timeoutMs, signal });
    },
  },
  {
    method: "GET",
    path: "/v1/tasks/:id/runs",
    name: "listRuns",
    summary: "The ledger rows of a task, one for each attempt",
    tag,
    status: 200,
    answer: runsAnswer,
    async handle({ pool, param }) {
      const { id } = await pool.get(param("id"));
      return { runs: await pool.runs(id) };
    },
  },
  {
    method: "GET",
    path: "/v1/tasks/:id/events",
    name: "listTaskEvents",
    summary: "The events of a task",
    tag,
    query: eventsQuery.pick({ after: true, limit: true }),
    status: 200,
    answer: eventPageAnswer,
    async handle({ pool, param, query }) {
      const { id } = await pool.get(param("id"));
      return eventPage(pool, { ...query, task_id: id });
    },
  },
];

/** A page of the log from a cursor on; `next` is always there, since more will come. */
export async function eventPage(pool: Pool, query: unknown): Promise<unknown> {
  const { after = 0, limit = 50, taskId } = parseRest(eventsQuery, query);
  const events = await pool.eventsAfter(after, limit, taskId);
  return { events, next: events.at(-1)?.seq ?? after };
}

/** The header and the field say the same thing. @throws {PoolError} `invalid_options` if they differ. */
export function withKey<T extends { readonly key?: string }>(spec: T, key: string | undefined): T {
  if (key === undefined || spec.key === key) return spec;
  if (spec.key === undefined) return { ...spec, key };
  throw invalidOptions("The Idempotency-Key header and the field `key` differ: send one of them.", "key");
}

/** In lists a text is shown so far. */
const longestShown = 1_000;

async function listTasks({ pool, query }: Asked): Promise<unknown> {
  const { tag: one, tags, ...rest } = parseRest(taskQuery, query);
  if (one !== undefined && tags !== undefined)
    throw invalidOptions("tag and tags are the same filter: give one of them.", "tag");
  const chosen = tags ?? (one === undefined ? undefined : [one]);
  const filter = parseListOptions(chosen === undefined ? rest : { ...rest, tags: chosen });
  const page = await pool.list(filter);
  return { ...page, tasks: page.tasks.map(cut) };
}

function cut(task: TaskRecord): TaskRecord {
  return {
    ...task,
    prompt: shortened(task.prompt),
    ...(task.originalPrompt === undefined ? {} : { originalPrompt: shortened(task.originalPrompt) }),
    ...(task.result === undefined ? {} : { result: { ...task.result, output: shortened(task.result.output) } }),
  };
}

/** Cut where no character is split. */
function shortened(text: string): string {
  if (text.length <= longestShown) return text;
  return `${text
    .slice(0, longestShown)
    .toWellFormed()
    .replace(/\uFFFD$/, "")}…`;
}

/** With a key, each task has it with its place: the same request again gives the same tasks. */
async function fanOut({ pool, body, key, signal }: Asked): Promise<unknown> {
  const own = parseRest(fanOutBody, body);
  const { key: common } = parseRest(keyField, {
    key: withKey(defined<{ readonly key?: string }>({ key: own.key }), key).key,
  });
  const { prompts, waitMs = defaultWaitMs, key: _key, ...shared } = own;
  const tasks = await pool.submitMany(
    prompts as readonly (string | TaskSpec)[],
    shared as Omit<TaskSpec, "prompt">,
    common,
  );
  const taskIds = tasks.map((task) => task.id);
  const timedOut = await waited(pool, taskIds, waitMs, signal);
  const results: TaskOutcome[] = [];
  for (const id of taskIds) results.push(await pool.result(id));
  return { taskIds, results, timedOut };
}

/** The header is held to what the field is held to. */
const keyField = fanOutBody.pick({ key: true });

/** The tasks go on whatever becomes of this request, so its end is no error of theirs. */
async function waited(pool: Pool, ids: readonly string[], timeoutMs: number, signal: AbortSignal): Promise<boolean> {
  try {
    return (await pool.wait(ids, { timeoutMs, signal })).timedOut;
  } catch (error) {
    if (error instanceof PoolError && error.code === "aborted") return true;
    throw error;
  }
}
