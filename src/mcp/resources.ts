/**
 * The pool's resources: what there is to read, and how what is long is read in parts.
 *
 * P1. Every part is as short as an answer, and names the next one: all of a text can be reached.
 */
import { ResourceNotFoundError, type ReadResourceResult } from "@modelcontextprotocol/server";
import type { DiffOptions } from "../core/api.ts";
import { PoolError } from "../core/errors.ts";
import { toWire } from "../core/wire.ts";
import type { Pool } from "../pool.ts";
import { taskStates, type TaskRecord, type TaskState } from "../core/task.ts";
import { bounded, maxTokens, tokensOf, wholeCharacters } from "./bounded.ts";

/** A text that was given to the client in part and is kept nowhere else, such as a message that was read. */
export interface KeptTexts {
  readonly keep: (id: string, text: string) => void;
  readonly get: (id: string) => string | undefined;
}

interface Described {
  readonly uri: string;
  readonly name: string;
  readonly description: string;
  readonly mimeType: string;
}

const json = "application/json";
/** The parameter of the character to begin at. */
const beginAt = `from`;

/** Those without a parameter. */
export const fixedResources: readonly Described[] = [
  { uri: "pool://status", name: "status", description: "Counts, money, what holds the queue back.", mimeType: json },
  { uri: "pool://slots", name: "slots", description: "Every live slot.", mimeType: json },
  { uri: "pool://budget", name: "budget", description: "The caps and what is spent, also by slot.", mimeType: json },
  { uri: "pool://context", name: "context", description: "The shared context.", mimeType: json },
  { uri: "pool://requests", name: "requests", description: "What workers ask and wait for.", mimeType: json },
  { uri: "pool://events", name: "events", description: "The latest events of the log.", mimeType: json },
  { uri: "pool://tasks", name: "tasks", description: "The latest tasks, as they are stored.", mimeType: json },
  { uri: "pool://skills", name: "skills", description: "Every skill.", mimeType: json },
  { uri: "pool://merges", name: "merges", description: "The latest merges, and the queue.", mimeType: json },
  { uri: "pool://worktrees", name: "worktrees", description: "The directories that tasks work in.", mimeType: json },
];

/** `from` is in all of them: the character to begin at. */
export const resourceTemplates = [
  template("pool://tasks/{id}{?from}", "task", "A task as it is stored."),
  template("pool://tasks{?tag,state,after}", "tasks by tag or state", "A page of tasks, newest first."),
  template(
    "pool://results/{task_id}{?from}",
    "result",
    "A task with its result, cut where it is long; with `from` its output from that character on.",
  ),
  template("pool://chains/{id}{?from}", "chain", "A chain's way so far, with what its steps answered."),
  template("pool://diffs/{id}{?from,of}", "diff", "Every file that an isolated task changed."),
  template(
    "pool://patches/{id}{?from,of}",
    "patch",
    "The same as a patch; of a task that runs, as it is at that moment.",
  ),
  template("pool://merges/{id}{?from}", "merge", "A merge with its conflicts and what its checks printed."),
  template("pool://slots/{id}", "slot", "A slot in full."),
  template("pool://requests/{id}{?from}", "request", "A request with all that is kept of it."),
  template("pool://context/{key}{?from}", "value of the context", "One value of the shared context."),
  template("pool://skills/{name}{?from}", "skill", "A skill with its template."),
  template("pool://messages/{id}{?from}", "message", "A message that this server handed out."),
  template("pool://events{?after,task_id}", "events", "Events after a cursor, oldest first."),
] as const;

/** What can be read by name: the fixed ones, and every live slot. */
export async function resourceList(pool: Pool): Promise<readonly Described[]> {
  const slots = await pool.findSlots();
  return [
    ...fixedResources,
    ...slots.map(({ id, config }) => ({
      uri: `pool://slots/${id}`,
      name: config.name === undefined ? id : `${id} (${config.name})`,
      description: config.role ?? "A slot.",
      mimeType: json,
    })),
  ];
}

/** @throws ResourceNotFoundError for an address that names nothing; PoolError for parameters that say nothing. */
export async function readResource(pool: Pool, texts: KeptTexts, address: string): Promise<ReadResourceResult> {
  const { path, id, query } = parsed(address);
  const from = wholeParameter(query, beginAt) ?? 0;
  const value = await found(address, () => valueOf(pool, texts, path, id, query));
  if (value === undefined) throw new ResourceNotFoundError(address);
  const isText = typeof value === "string";
  return paged(address, isText ? value : JSON.stringify(toWire(value)), from, isText ? "text/plain" : json);
}

async function valueOf(
  pool: Pool,
  texts: KeptTexts,
  path: string,
  id: string | undefined,
  query: URLSearchParams,
): Promise<unknown> {
  if (id === undefined) return wholeOf(pool, path, query);
  switch (path) {
    case "tasks":
      return pool.get(id);
    case "results": {
      const record = await pool.get(id);
      return query.has(beginAt) ? (record.result?.output ?? "") : shownRecord(record);
    }
    case "chains":
      return pool.chainProgress(id);
    case "diffs": {
      const { patch: _, ...diff } = await pool.diff(id, stateIn(query));
      return diff;
    }
    case "patches":
      return (await pool.diff(id, stateIn(query))).patch;
    case "merges":
      return pool.merges.show(id);
    case "slots":
      return (await pool.findSlots()).find((slot) => slot.id === id);
    case "requests":
      return pool.requests.get(id);
    case "context":
      return pool.getContext(id);
    case "skills":
      return pool.skills.get(id);
    case "messages":
      return texts.get(id);
    default:
      return undefined;
  }
}

async function wholeOf(pool: Pool, path: string, query: URLSearchParams): Promise<unknown> {
  switch (path) {
    case "status":
      return pool.status();
    case "slots":
    case "workers": // the original's older name
      return pool.findSlots();
    case "requests":
      return pool.requests.list();
    case "budget":
      return budgetOf(pool);
    case "context":
      return { context: await pool.listContext() };
    case "skills":
      return pool.skills.list();
    case "merges":
      return { merges: await pool.merges.list() };
    case "worktrees":
      return { worktrees: await pool.worktrees.list() };
    case "tasks":
      return tasksOf(pool, query);
    case "events":
      return eventsOf(pool, query);
    default:
      return undefined;
  }
}

/** What the pool makes of `of` is its own to say. */
function stateIn(query: URLSearchParams): DiffOptions {
  const of = query.get("of");
  return of === null ? {} : { of: of as NonNullable<DiffOptions["of"]> };
}

/** A record whose output is too long shows where the rest is: `from` counts in the output, not in the record's JSON. */
function shownRecord(record: TaskRecord): object {
  const from = (kept: number): string => `pool://results/${record.id}?from=${String(kept)}`;
  const whole = `pool://tasks/${record.id}`;
  const wire = JSON.parse(JSON.stringify(toWire(record))) as Readonly<Record<string, unknown>>;
  return bounded(wire, (path, kept) => (path.join(".") === "result.output" ? from(kept) : whole)).value;
}

/** The original's shape, and the caps of tags, chains and the day beside it. */
async function budgetOf(pool: Pool): Promise<object> {
  const [budget, scopes, slots] = await Promise.all([pool.budget.show(), pool.budget.scopes(), pool.findSlots()]);
  const { capMicrodollars } = budget;
  return {
    ...budget,
    ...(capMicrodollars === undefined
      ? {}
      : { remainingMicrodollars: Math.max(0, capMicrodollars - budget.spentMicrodollars) }),
    scopes,
    slots: slots.map(({ id, costMicrodollars, tasksCompleted }) => ({ id, costMicrodollars, tasksCompleted })),
  };
}

async function tasksOf(pool: Pool, query: URLSearchParams): Promise<object> {
  const [tag, state, after] = [query.get("tag"), query.get("state"), wholeParameter(query, "after")];
  if (state !== null && !(taskStates as readonly string[]).includes(state)) {
    throw new PoolError("invalid_options", `state: expected one of ${taskStates.join(", ")}.`, { field: "state" });
  }
  return pool.list({
    limit: 20,
    ...(tag === null ? {} : { tags: [tag] }),
    ...(state === null ? {} : { state: state as TaskState }),
    ...(after === undefined ? {} : { after }),
  });
}

const eventPage = 100;

async function eventsOf(pool: Pool, query: URLSearchParams): Promise<object> {
  const taskId = query.get("task_id") ?? undefined;
  const after = wholeParameter(query, "after") ?? (taskId === undefined ? await latestPage(pool) : 0);
  const events = [];
  for await (const event of pool.events({ after, follow: false, ...(taskId === undefined ? {} : { taskId }) })) {
    events.push(event);
    if (events.length === eventPage) break;
  }
  return { events, next: events.at(-1)?.seq ?? after };
}

/** The cursor before the last page of the log. */
async function latestPage(pool: Pool): Promise<number> {
  return Math.max(0, (await pool.lastEventSeq()) - eventPage);
}

function paged(address: string, text: string, from: number, mimeType: string): ReadResourceResult {
  const to = from + fitting(text.slice(from));
  const part = { uri: address, mimeType, text: text.slice(from, to) };
  if (to >= text.length) return { contents: [part] };
  const next = withParameter(address, beginAt, to);
  const note = `Characters ${String(from)} to ${String(to)} of ${String(text.length)}. The rest: ${next}`;
  return { contents: [part, { uri: next, mimeType: "text/plain", text: note }] };
}

/** How many of the characters fit into one part. */
function fitting(text: string): number {
  if (text.length * 1.5 <= maxTokens || tokensOf(text) <= maxTokens) return text.length;
  let [low, high] = [1, text.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (tokensOf(text.slice(0, middle)) <= maxTokens) low = middle;
    else high = middle - 1;
  }
  return Math.max(1, wholeCharacters(text, low));
}

function parsed(address: string): {
  readonly path: string;
  readonly id: string | undefined;
  readonly query: URLSearchParams;
} {
  const match = /^pool:\/\/([a-z]+)(?:\/([^?#]+))?(?:\?([^#]*))?$/.exec(address);
  if (match === null) throw new ResourceNotFoundError(address);
  const [, path = "", id, query = ""] = match;
  try {
    return { path, id: id === undefined ? undefined : decodeURIComponent(id), query: new URLSearchParams(query) };
  } catch {
    throw new ResourceNotFoundError(address); // a % that begins nothing
  }
}

function withParameter(address: string, name: string, value: number): string {
  const [path = "", text = ""] = address.split("?");
  const query = new URLSearchParams(text);
  query.set(name, String(value));
  return `${path}?${query.toString()}`;
}

/** @throws {PoolError} `invalid_options`. */
function wholeParameter(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const value = Number(text);
  if (/^\d{1,15}$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new PoolError(
    "invalid_options",
    `${name}: expected a whole number of at least 0, got ${JSON.stringify(text.slice(0, 60))}.`,
    {
      field: name,
    },
  );
}

const notThere = [
  "task_not_found",
  "slot_not_found",
  "skill_not_found",
  "request_not_found",
  "merge_not_found",
  "nothing_to_merge",
];

/** What the pool does not know is a resource that is not there. */
async function found<T>(address: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof PoolError && notThere.includes(error.code))
      throw new ResourceNotFoundError(address, error.message);
    throw error;
  }
}

function template(uriTemplate: string, name: string, description: string) {
  return { uriTemplate, name, description, mimeType: json };
}
