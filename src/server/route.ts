/** One route of the REST API: what it takes and answers, for the server and for the OpenAPI document alike. */
import type { z } from "zod";
import type { Pool } from "../pool.ts";

export const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;
export type Method = (typeof methods)[number];

/** A request to a route, with nothing checked but its form. */
export interface Asked {
  readonly pool: Pool;
  /** A part of the path, decoded. */
  readonly param: (name: string) => string;
  /** In wire names; numbers and lists made of text as the route's schema says. */
  readonly query: Readonly<Record<string, unknown>>;
  /** The body's JSON; an empty object where there is none. */
  readonly body: unknown;
  /** The Idempotency-Key header. */
  readonly key: string | undefined;
  /** Fires when the server stops or the client goes away. */
  readonly signal: AbortSignal;
}

export interface Route {
  readonly method: Method;
  /** As the router has it: `/v1/tasks/:id`. */
  readonly path: string;
  /** The `operationId`. */
  readonly name: string;
  readonly summary: string;
  readonly tag: string;
  /** In the library's names, as all schemas of what comes in. */
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** Nothing in the body is needed. */
  readonly isBodyOptional?: boolean;
  readonly takesKey?: boolean;
  readonly status: 200 | 201 | 202 | 204;
  /** In wire names; absent where there is no content. */
  readonly answer?: z.ZodType;
  /** What `handle` gives is in wire names already. */
  readonly isWire?: true;
  /** In the library's names; the server writes it in wire names. */
  readonly handle: (asked: Asked) => Promise<unknown>;
}
