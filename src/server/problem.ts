/** Errors as problem documents (RFC 9457): the pool's own by their code, and those of HTTP itself. */
import { errorMeanings } from "../core/error-meanings.ts";
import { PoolError } from "../core/errors.ts";
import { toWire } from "../core/wire.ts";

/** What the server itself refuses; in the order of docs/http.md. */
export const httpErrors = {
  malformed_request: { status: 400, title: "The request cannot be read." },
  unauthorized: { status: 401, title: "A token is needed." },
  forbidden_host: { status: 403, title: "The server does not go by this name." },
  forbidden_origin: { status: 403, title: "Web pages of this origin may not ask." },
  route_not_found: { status: 404, title: "No such route." },
  method_not_allowed: { status: 405, title: "The route does not know this method." },
  body_timeout: { status: 408, title: "The body came too slowly." },
  body_too_large: { status: 413, title: "The body is too large." },
  not_json: { status: 415, title: "The body must be JSON." },
  too_many_requests: { status: 429, title: "Too many requests from this address." },
  internal: { status: 500, title: "The server failed." },
  overloaded: { status: 503, title: "The server does as much as it can." },
  stopping: { status: 503, title: "The server is stopping." },
} as const satisfies Readonly<Record<string, { readonly status: number; readonly title: string }>>;

export type HttpErrorCode = keyof typeof httpErrors;

/** A request that the server refuses before the pool hears of it. */
export class HttpError extends Error {
  readonly code: HttpErrorCode;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: HttpErrorCode, detail: string, headers: Readonly<Record<string, string>> = {}) {
    super(detail);
    this.code = code;
    this.headers = headers;
  }
}

/** Seconds after which it is worth trying again, for the statuses that say so. */
const retryAfterSecs = { 429: 1, 503: 1 } as const;

/** The answer to a failed request. What is no refusal of ours tells nothing of itself: `report` hears it. */
export function problemResponse(error: unknown, report: (error: unknown) => void): Response {
  if (error instanceof PoolError) return poolProblem(error, report);
  if (error instanceof HttpError) {
    const { status, title } = httpErrors[error.code];
    return document({ code: error.code, status, title, detail: error.message }, error.headers);
  }
  report(error);
  const { status, title } = httpErrors.internal;
  return document({ code: "internal", status, title, detail: "What went wrong is in the server's own output." });
}

function poolProblem(error: PoolError, report: (error: unknown) => void): Response {
  const { status, meaning } = errorMeanings[error.code];
  if (status >= 500 && status !== 503) report(error);
  const details = toWire(error.details) as Readonly<Record<string, unknown>>;
  return document({ code: error.code, status, title: meaning, detail: error.message, details });
}

interface Problem {
  readonly code: string;
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

function document(problem: Problem, headers: Readonly<Record<string, string>> = {}): Response {
  const { code, status, title, detail, details } = problem;
  const body = {
    type: `urn:claude-pool:error:${code}`,
    title,
    status,
    detail,
    code,
    ...(details === undefined ? {} : { details }),
  };
  const wait = status in retryAfterSecs ? { "retry-after": String(retryAfterSecs[status as 429 | 503]) } : {};
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/problem+json", ...wait, ...headers },
  });
}
