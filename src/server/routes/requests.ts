/** What running tasks ask, and the rules that answer some of it. */
import { invalidOptions } from "../../core/errors.ts";
import { requestAnswer, ruleAnswer } from "../../schema/answers-requests.ts";
import { requestListAnswer, ruleListAnswer } from "../../schema/answers-rest.ts";
import { parsePermissionAnswer, parseRequestFilter } from "../../schema/requests.ts";
import { parseRest, requestAnswerBody, requestsQuery, ruleBody } from "../../schema/rest.ts";
import type { Asked, Route } from "../route.ts";

const tag = "requests";

export const requestRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/v1/requests",
    name: "listRequests",
    summary: "What waits for an answer, in the order in which it was asked",
    tag,
    query: requestsQuery,
    status: 200,
    answer: requestListAnswer,
    handle: async ({ pool, query }) => ({ requests: await pool.requests.list(parseRequestFilter(query, "wire")) }),
  },
  {
    method: "GET",
    path: "/v1/requests/:id",
    name: "getRequest",
    summary: "A request, answered or not",
    tag,
    status: 200,
    answer: requestAnswer,
    handle: ({ pool, param }) => pool.requests.get(param("id")),
  },
  {
    method: "POST",
    path: "/v1/requests/:id/answer",
    name: "answerRequest",
    summary: "Allow or deny the tool, or answer the question in words",
    tag,
    body: requestAnswerBody,
    status: 200,
    answer: requestAnswer,
    handle: answered,
  },
  {
    method: "GET",
    path: "/v1/permission-rules",
    name: "listRules",
    summary: "The rules that are kept, in the order in which they were given",
    tag,
    status: 200,
    answer: ruleListAnswer,
    handle: async ({ pool }) => ({ rules: await pool.requests.rules() }),
  },
  {
    method: "POST",
    path: "/v1/permission-rules",
    name: "addRule",
    summary: "Keep a rule; what is open and covered by it is answered at once",
    tag,
    body: ruleBody,
    status: 201,
    answer: ruleAnswer,
    handle({ pool, body }) {
      const { rule, decision } = parseRest(ruleBody, body);
      return pool.requests.addRule(rule, decision);
    },
  },
  {
    method: "DELETE",
    path: "/v1/permission-rules/:id",
    name: "revokeRule",
    summary: "Remove a rule",
    tag,
    status: 204,
    async handle({ pool, param }) {
      await pool.requests.revoke(param("id"));
    },
  },
];

async function answered({ pool, param, body }: Asked): Promise<unknown> {
  const { text, ...decision } = parseRest(requestAnswerBody, body);
  if (text !== undefined && Object.keys(decision).length > 0) {
    throw invalidOptions("text answers a question, decision a request for permission: give one of them.", "text");
  }
  if (text !== undefined) return pool.requests.answer(param("id"), text);
  return pool.requests.decide(param("id"), parsePermissionAnswer(body, "wire"));
}
