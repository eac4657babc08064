/** The OpenAPI 3.1 document, made of the tables of routes and of the schemas that check what comes in and goes out. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { snakeCase } from "../core/wire.ts";
import { inWireNames } from "../schema/json-schema.ts";
import { streamQuery } from "../schema/rest.ts";
import { components, inputs, outputs } from "./components.ts";
import type { Route } from "./route.ts";
import { routes } from "./routes.ts";
import { streamRoutes } from "./streams.ts";

type Node = Readonly<Record<string, unknown>>;

/** @example openApiDocument().paths["/v1/tasks/{id}"] */
export function openApiDocument(): Node {
  const paths: Record<string, Record<string, Node>> = {};
  const add = (path: string, method: string, operation: Node): void => {
    const written = path.replace(/:(\w+)/g, "{$1}");
    paths[written] = { ...paths[written], [method.toLowerCase()]: operation };
  };
  for (const route of routes) add(route.path, route.method, operationOf(route));
  for (const { path, name, summary, tag } of streamRoutes) {
    add(path, "GET", {
      operationId: name,
      summary,
      tags: [tag],
      parameters: [...pathParameters(path), ...queryParameters(streamQuery), lastEventId],
      responses: {
        200: { description: "Server-sent events.", content: { "text/event-stream": { schema: { type: "string" } } } },
        ...(path.includes(":")
          ? { 204: { description: "All of it has been told; there is no need to come back." } }
          : {}),
        default: problem,
      },
    });
  }
  for (const [path, operation] of Object.entries(plain)) add(path, "GET", operation);
  const { schemas, refer } = components({
    ...mapped(inputs, requestSchema),
    ...mapped(outputs, answerSchema),
  });
  return {
    openapi: "3.1.0",
    info: {
      title: "claude-pool",
      version: version(),
      description:
        "A team of Claude Code workers behind one interface: tasks, chains, slots, money and events of one pool.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    security: [{ bearer: [] }, {}],
    paths: refer(paths),
    components: {
      schemas,
      securitySchemes: { bearer: { type: "http", scheme: "bearer", description: "Where the server has a token." } },
      responses: {
        Problem: {
          description: "What went wrong (RFC 9457).",
          content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
        },
      },
    },
  };
}

const problem = { $ref: "#/components/responses/Problem" };
const lastEventId = {
  name: "Last-Event-ID",
  in: "header",
  schema: { type: "string", pattern: "^\\d{1,15}$" },
  description: "The id of the last event that the client has: it goes on from there.",
};
const idempotencyKey = {
  name: "Idempotency-Key",
  in: "header",
  schema: { type: "string", minLength: 1, maxLength: 512 },
  description: "The same key and body give the work of the first request; as the field `key`.",
};

const statusSchema = { type: "object", properties: { status: { type: "string" } }, required: ["status"] };
const plain: Readonly<Record<string, Node>> = {
  "/healthz": plainGet("getHealth", "The server runs", "application/json", statusSchema, true),
  "/health": plainGet("getPlainHealth", "The server runs, as text", "text/plain", { type: "string" }, true),
  "/readyz": {
    ...plainGet("getReadiness", "The server runs and the pool takes work", "application/json", statusSchema, true),
  },
  "/metrics": plainGet("getPrometheusMetrics", "Figures in Prometheus format", "text/plain", { type: "string" }, false),
  "/v1/openapi.json": plainGet("getOpenApi", "This document", "application/json", { type: "object" }, false),
};

function plainGet(operationId: string, summary: string, type: string, schema: Node, isFree: boolean): Node {
  return {
    operationId,
    summary,
    tags: ["server"],
    ...(isFree ? { security: [] } : {}),
    responses: { 200: { description: summary, content: { [type]: { schema } } }, default: problem },
  };
}

function operationOf(route: Route): Node {
  const parameters = [
    ...pathParameters(route.path),
    ...(route.query === undefined ? [] : queryParameters(route.query)),
    ...(route.takesKey === true ? [idempotencyKey] : []),
  ];
  return {
    operationId: route.name,
    summary: route.summary,
    tags: [route.tag],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            required: route.isBodyOptional !== true,
            content: { "application/json": { schema: requestSchema(route.body) } },
          },
        }),
    responses: {
      [route.status]:
        route.answer === undefined
          ? { description: "Done." }
          : { description: route.summary, content: { "application/json": { schema: answerSchema(route.answer) } } },
      ...(route.method === "GET" ? { 304: { description: "As the client has it (If-None-Match)." } } : {}),
      default: problem,
    },
  };
}

function pathParameters(path: string): readonly Node[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
}

function queryParameters(schema: z.ZodObject): readonly Node[] {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, options("input"));
  return Object.entries(properties).map(([name, node]) => {
    const { description, ...rest } = node as Node;
    return {
      name: snakeCase(name),
      in: "query",
      required: required.includes(name),
      schema: inWireNames(rest),
      ...(description === undefined ? {} : { description }),
    };
  });
}

function requestSchema(schema: z.ZodType): Node {
  return inWireNames(withoutMark(z.toJSONSchema(schema, options("input")))) as Node;
}

/** Answers are written in wire names from the start. */
function answerSchema(schema: z.ZodType): Node {
  return withoutMark(z.toJSONSchema(schema, options("output")));
}

function options(io: "input" | "output") {
  return { io, target: "draft-2020-12", unrepresentable: "any", reused: "inline" } as const;
}

function mapped<T, U>(fields: Readonly<Record<string, T>>, make: (value: T) => U): Readonly<Record<string, U>> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, make(value)]));
}

/** The document names its dialect once. */
function withoutMark({ $schema: _, ...schema }: Node): Node {
  return schema;
}

function version(): string {
  const file = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(file) as { readonly version: string }).version;
}
