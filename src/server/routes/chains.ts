/** Chains and workflows. */
import type { ChainOptions } from "../../core/chain.ts";
import type { Pool } from "../../pool.ts";
import {
  chainAcceptedAnswer,
  chainListAnswer,
  chainsAcceptedAnswer,
  workflowListAnswer,
} from "../../schema/answers-rest.ts";
import { chainProgressAnswer } from "../../schema/answers-chain.ts";
import { chainSchema, parseChain } from "../../schema/chain.ts";
import { chainFanOutBody, chainsQuery, parseRest, resumeBody, workflowRunBody } from "../../schema/rest.ts";
import type { Task } from "../../task-handle.ts";
import type { Route } from "../route.ts";
import { withKey } from "./tasks.ts";

const tag = "chains";

export const chainRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/v1/chains",
    name: "listChains",
    summary: "Chains, newest first, without what their steps answered",
    tag,
    query: chainsQuery,
    status: 200,
    answer: chainListAnswer,
    async handle({ pool, query }) {
      const { limit = 50, after } = parseRest(chainsQuery, query);
      const chains = await pool.listChains({ limit, ...(after === undefined ? {} : { after }) });
      const last = chains.length === limit ? chains.at(-1) : undefined;
      return last === undefined ? { chains } : { chains, next: (await pool.get(last.taskId)).seq };
    },
  },
  {
    method: "POST",
    path: "/v1/chains",
    name: "submitChain",
    summary: "Submit a chain; once this is answered it survives a crash",
    tag,
    body: chainSchema,
    takesKey: true,
    status: 202,
    answer: chainAcceptedAnswer,
    handle: ({ pool, body, key }) => submitted(pool, body, key),
  },
  {
    method: "POST",
    path: "/v1/chains/fan-out",
    name: "fanOutChains",
    summary: "Submit several chains, all or none",
    tag,
    body: chainFanOutBody,
    status: 202,
    answer: chainsAcceptedAnswer,
    async handle({ pool, body }) {
      parseRest(chainFanOutBody, body);
      const { chains } = body as { readonly chains: readonly unknown[] };
      const tasks = await pool.submitChains(chains.map((chain) => parseChain(chain, "wire")));
      return { chains: await Promise.all(tasks.map((chain) => accepted(pool, chain))) };
    },
  },
  {
    method: "GET",
    path: "/v1/chains/:id",
    name: "getChain",
    summary: "How far a chain is, with every step and the running one's text so far",
    tag,
    status: 200,
    answer: chainProgressAnswer,
    handle: ({ pool, param }) => pool.chainProgress(param("id")),
  },
  {
    method: "DELETE",
    path: "/v1/chains/:id",
    name: "cancelChain",
    summary: "Cancel a chain; when this is answered, no process of any of its steps is alive",
    tag,
    status: 204,
    async handle({ pool, param }) {
      await pool.chainProgress(param("id"));
      await pool.cancelChain(param("id"));
    },
  },
  {
    method: "POST",
    path: "/v1/chains/:id/resume",
    name: "resumeChain",
    summary: "A new chain that takes over what completed of one that failed or was cancelled",
    tag,
    body: resumeBody,
    isBodyOptional: true,
    status: 202,
    answer: chainAcceptedAnswer,
    async handle({ pool, param, body }) {
      const { from } = parseRest(resumeBody, body);
      return accepted(pool, await pool.resumeChain(param("id"), from === undefined ? {} : { from }));
    },
  },
  {
    method: "GET",
    path: "/v1/workflows",
    name: "listWorkflows",
    summary: "Workflows: chains with a name and arguments",
    tag,
    status: 200,
    answer: workflowListAnswer,
    handle: async ({ pool }) => ({ workflows: await pool.workflows.list() }),
  },
  {
    method: "POST",
    path: "/v1/workflows/:name/run",
    name: "runWorkflow",
    summary: "Submit a workflow as a chain",
    tag,
    body: workflowRunBody,
    isBodyOptional: true,
    takesKey: true,
    status: 202,
    answer: chainAcceptedAnswer,
    async handle({ pool, param, body, key }) {
      const { arguments: values, ...options } = parseRest(workflowRunBody, body);
      return accepted(pool, await pool.workflows.submit(param("name"), values, withKey(options as ChainOptions, key)));
    },
  },
];

async function submitted(pool: Pool, body: unknown, key: string | undefined): Promise<unknown> {
  const { steps, ...options } = parseChain(body, "wire");
  return accepted(pool, await pool.submitChain(steps, withKey<ChainOptions>(options, key)));
}

async function accepted(pool: Pool, chain: Task): Promise<unknown> {
  const { status, totalSteps } = await pool.chainProgress(chain.id);
  return { chainId: chain.id, taskId: chain.id, state: status, totalSteps };
}
