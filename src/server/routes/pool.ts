/** The pool itself: figures, money, scaling, draining, routing, the shared context. */
import { defined } from "../../core/config.ts";
import { invalidOptions, PoolError } from "../../core/errors.ts";
import type { Pool } from "../../pool.ts";
import { autoAnswer, autoAnswerOf, routeAnswer } from "../../schema/answers-settled.ts";
import { budgetAnswer, drainAnswer, governorAnswer, metricsAnswer, statusAnswer } from "../../schema/answers-pool.ts";
import {
  contextEntryAnswer,
  contextListAnswer,
  estimateAnswer,
  eventPageAnswer,
  scaleAnswer,
  scopeListAnswer,
} from "../../schema/answers-rest.ts";
import { budgetCapSchema, drainSchema, parseBudgetCap, parseDrainOptions } from "../../schema/calls.ts";
import {
  autoBody,
  budgetScopeBody,
  contextBody,
  estimateBody,
  eventsQuery,
  metricsQuery,
  parseRest,
  routeBody,
  scaleBody,
} from "../../schema/rest.ts";
import type { AutoOptions, RouteOptions } from "../../core/route.ts";
import type { SubmitOptions } from "../../core/api.ts";
import type { HostRecord, TaskSpec } from "../../core/task.ts";
import type { Asked, Route } from "../route.ts";
import { eventPage } from "./tasks.ts";

const tag = "pool";

export const poolRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/v1/pool/status",
    name: "getStatus",
    summary: "Counts and money",
    tag,
    status: 200,
    answer: statusAnswer,
    handle: ({ pool }) => pool.status(),
  },
  {
    method: "GET",
    path: "/v1/pool/metrics",
    name: "getMetrics",
    summary: "What tasks cost and took: since the server opened the pool, or those that the filter names",
    tag,
    query: metricsQuery,
    status: 200,
    answer: metricsAnswer,
    handle: metrics,
  },
  {
    method: "GET",
    path: "/v1/events",
    name: "listEvents",
    summary: "The event log from a cursor on",
    tag,
    query: eventsQuery,
    status: 200,
    answer: eventPageAnswer,
    handle: ({ pool, query }) => eventPage(pool, query),
  },
  {
    method: "POST",
    path: "/v1/pool/drain",
    name: "drain",
    summary: "Shut the pool: no new work, pending work cancelled or kept, running work given until the grace ends",
    tag,
    body: drainSchema,
    isBodyOptional: true,
    status: 200,
    answer: drainAnswer,
    handle: ({ pool, body }) => pool.drain(parseDrainOptions(body, "wire")),
  },
  {
    method: "POST",
    path: "/v1/pool/scale",
    name: "scale",
    summary: "Ask for another number of slots",
    tag,
    body: scaleBody,
    status: 200,
    answer: scaleAnswer,
    handle: scale,
  },
  {
    method: "GET",
    path: "/v1/pool/budget",
    name: "getBudget",
    summary: "The pool's cap, and what is spent and reserved of it",
    tag: "budget",
    status: 200,
    answer: budgetAnswer,
    handle: ({ pool }) => pool.budget.show(),
  },
  {
    method: "PUT",
    path: "/v1/pool/budget",
    name: "setBudget",
    summary: "Set the cap and start counting; without an amount it is removed",
    tag: "budget",
    body: budgetCapSchema,
    status: 200,
    answer: budgetAnswer,
    handle: ({ pool, body }) => pool.budget.set(parseBudgetCap(body, "wire")),
  },
  {
    method: "POST",
    path: "/v1/pool/budget/reset",
    name: "resetBudget",
    summary: "Start counting anew under the same cap",
    tag: "budget",
    status: 200,
    answer: budgetAnswer,
    handle: ({ pool }) => pool.budget.reset(),
  },
  {
    method: "GET",
    path: "/v1/pool/budget/scopes",
    name: "listScopes",
    summary: "The budgets of tags, of the day, and of chains that have one",
    tag: "budget",
    status: 200,
    answer: scopeListAnswer,
    handle: async ({ pool }) => ({ scopes: await pool.budget.scopes() }),
  },
  {
    method: "PUT",
    path: "/v1/pool/budget/scopes",
    name: "setScope",
    summary: "Cap what tasks with a tag may spend, or what a day may; without an amount the cap is removed",
    tag: "budget",
    body: budgetScopeBody,
    status: 200,
    answer: scopeListAnswer,
    handle: setScope,
  },
  {
    method: "GET",
    path: "/v1/pool/governor",
    name: "getGovernor",
    summary: "What is known of usage limits, overloads and want of memory",
    tag,
    status: 200,
    answer: governorAnswer,
    handle: ({ pool }) => pool.governor.show(),
  },
  {
    method: "POST",
    path: "/v1/pool/governor/release",
    name: "releaseGovernor",
    summary: "Open a pool that a limit or an overload holds back",
    tag,
    status: 200,
    answer: governorAnswer,
    async handle({ pool }) {
      await pool.governor.release();
      return pool.governor.show();
    },
  },
  {
    method: "POST",
    path: "/v1/estimate",
    name: "estimate",
    summary: "What tasks would cost and take, by the record of this project; nothing runs",
    tag,
    body: estimateBody,
    status: 200,
    answer: estimateAnswer,
    handle({ pool, body }) {
      const { prompts, ...options } = parseRest(estimateBody, body);
      return pool.estimate(prompts as readonly (string | TaskSpec)[], options as SubmitOptions);
    },
  },
  {
    method: "POST",
    path: "/v1/route",
    name: "route",
    summary: "Ask the router how a task is divided; nothing of the task is done",
    tag,
    body: routeBody,
    status: 200,
    answer: routeAnswer,
    handle({ pool, body, signal }) {
      const { prompt, ...options } = parseRest(routeBody, body);
      return pool.route(prompt, { ...(options as RouteOptions), signal });
    },
  },
  {
    method: "POST",
    path: "/v1/auto",
    name: "auto",
    summary: "Ask the router, then run what it decided and wait for all of it; ends with the request",
    tag,
    body: autoBody,
    status: 200,
    answer: autoAnswer,
    isWire: true,
    async handle({ pool, body, signal }) {
      const { prompt, ...options } = parseRest(autoBody, body);
      return autoAnswerOf(await pool.auto(prompt, { ...(options as AutoOptions), signal }));
    },
  },
  {
    method: "GET",
    path: "/v1/context",
    name: "listContext",
    summary: "The whole shared context",
    tag: "context",
    status: 200,
    answer: contextListAnswer,
    handle: async ({ pool }) => ({ context: await pool.listContext() }),
  },
  {
    method: "GET",
    path: "/v1/context/:key",
    name: "getContext",
    summary: "A value of the shared context",
    tag: "context",
    status: 200,
    answer: contextEntryAnswer,
    async handle({ pool, param }) {
      const key = param("key");
      const value = await pool.getContext(key);
      if (value === undefined) throw noSuchKey(key);
      return { key, value };
    },
  },
  {
    method: "PUT",
    path: "/v1/context/:key",
    name: "setContext",
    summary: "Set a value that every slot sees from its next task on",
    tag: "context",
    body: contextBody,
    status: 204,
    handle: ({ pool, param, body }) => pool.setContext(param("key"), parseRest(contextBody, body).value),
  },
  {
    method: "DELETE",
    path: "/v1/context/:key",
    name: "deleteContext",
    summary: "Remove a value",
    tag: "context",
    status: 204,
    async handle({ pool, param }) {
      if (!(await pool.deleteContext(param("key")))) throw noSuchKey(param("key"));
    },
  },
];

async function metrics({ pool, query }: Asked): Promise<unknown> {
  const { tag: one, tags, ...rest } = parseRest(metricsQuery, query);
  if (one !== undefined && tags !== undefined)
    throw invalidOptions("tag and tags are the same filter: give one of them.", "tag");
  return pool.sessionMetrics(defined({ ...rest, tags: tags ?? (one === undefined ? undefined : [one]) }));
}

async function scale({ pool, body }: Asked): Promise<unknown> {
  const { target, delta = 0 } = parseRest(scaleBody, body);
  const hosts = await pool.hosts();
  const currentSlots = await scaled(pool, target, delta);
  return { previousSlots: target === undefined ? currentSlots - delta : slotsOf(pool, hosts), currentSlots };
}

/** Of the host that scaling asks: this process's, or else the first that takes any task. */
function slotsOf({ hostId }: Pool, hosts: readonly HostRecord[]): number {
  const own = hosts.find(({ id }) => id === hostId);
  const host = own ?? hosts.find(({ kind, targetSlots }) => kind !== "attached" && targetSlots > 0);
  return host?.targetSlots ?? 0;
}

function scaled(pool: Pool, target: number | undefined, delta: number): Promise<number> {
  if (target !== undefined) return pool.setTargetSlots(target);
  return delta < 0 ? pool.scaleDown(-delta) : pool.scaleUp(delta);
}

async function setScope({ pool, body }: Asked): Promise<unknown> {
  const { scope, usd } = parseRest(budgetScopeBody, body);
  if (scope !== "day" && !scope.startsWith("tag:"))
    throw invalidOptions("scope: expected `day`, or `tag:` and a tag.", "scope");
  await pool.budget.setScope(scope === "day" ? { day: true } : { tag: scope.slice("tag:".length) }, usd);
  return { scopes: await pool.budget.scopes() };
}

function noSuchKey(key: string): PoolError {
  return new PoolError(
    "context_not_found",
    `No fact ${JSON.stringify(key)} in this pool. \`GET /v1/context\` shows the keys.`,
    { key },
  );
}
