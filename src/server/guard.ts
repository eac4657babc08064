/**
 * Who may ask at all.
 *
 * G1. The Host names this server: a page whose name was made to point here (DNS rebinding) names another.
 * G2. A request that a browser makes for a page comes from this server's own origin, or from one that was allowed.
 * G3. With a token, everything but the two health checks needs it; compared so that time tells nothing of it.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { isIP } from "node:net";
import { hostname as machineName } from "node:os";
import { HttpError } from "./problem.ts";

export interface GuardOptions {
  /** The address that the server listens on, as it was given. */
  readonly host: string;
  /** None: only where the address is a loopback one. */
  readonly tokens: readonly string[];
  /** Other names that the server goes by, behind a proxy. */
  readonly allowedHosts: readonly string[];
  /** Origins of web pages that may ask, such as `https://dash.example`. */
  readonly allowedOrigins: readonly string[];
}

/** Checks a request; throws {@link HttpError} for one that may not be answered. */
export type Guard = (request: { readonly method: string; readonly headers: Headers; readonly path: string }) => {
  /** The origin of a page that was let in, which its browser has to be told. */
  readonly origin?: string;
};

export function guard(options: GuardOptions): Guard {
  const names = new Set(
    ["localhost", "127.0.0.1", "::1", options.host, machineName(), ...options.allowedHosts].map((name) =>
      name.toLowerCase(),
    ),
  );
  const origins = new Set(options.allowedOrigins.map((origin) => origin.toLowerCase().replace(/\/$/, "")));
  const digests = options.tokens.map(digest);
  const isOpen = isLoopback(options.host);
  return ({ method, headers, path }) => {
    checkHost(headers, names, isOpen);
    const origin = checkOrigin(headers, origins);
    // A browser asks beforehand, without the token, whether it may ask.
    const isPreflight = origin !== undefined && method === "OPTIONS";
    if (digests.length > 0 && !isPreflight && !freePaths.has(path)) checkToken(headers, digests);
    return origin === undefined ? {} : { origin };
  };
}

/** Is this an address that only this machine reaches? */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** G3 */
const freePaths: ReadonlySet<string> = new Set(["/healthz", "/readyz", "/health"]);

/** G1. Where others may connect, a bare address is as good as a name: rebinding needs a name. */
function checkHost(headers: Headers, names: ReadonlySet<string>, isLoopbackOnly: boolean): void {
  const host = (headers.get("host") ?? "").toLowerCase();
  const name = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::\d{1,5})?$/.exec(host);
  const bare = name?.[1] ?? name?.[2] ?? "";
  if (names.has(bare) || (!isLoopbackOnly && isIP(bare) !== 0)) return;
  throw new HttpError(
    "forbidden_host",
    `The Host header says ${JSON.stringify(host.slice(0, 100))}; this server is not called so. --allowed-host adds a name.`,
  );
}

/** G2. Gives back the origin that was allowed, unless it is the server's own. */
function checkOrigin(headers: Headers, allowed: ReadonlySet<string>): string | undefined {
  const origin = headers.get("origin")?.toLowerCase();
  if (origin === undefined) {
    // A browser that sends no Origin (an image, a script, a link) says at least that another site made it ask.
    const site = headers.get("sec-fetch-site");
    if (site === null || site === "same-origin" || site === "none") return undefined;
  } else if (isOwn(origin, headers)) return undefined;
  else if (allowed.has(origin)) return origin;
  throw new HttpError(
    "forbidden_origin",
    `Pages of ${origin === undefined ? "another site" : JSON.stringify(origin.slice(0, 100))} may not ask. --allowed-origin lets an origin in.`,
  );
}

/** The Host has been checked by then, so what is equal to it is this server. */
function isOwn(origin: string, headers: Headers): boolean {
  const host = headers.get("host")?.toLowerCase() ?? "";
  return origin === `http://${host}` || origin === `https://${host}`;
}

function checkToken(headers: Headers, digests: readonly Buffer[]): void {
  const given = /^bearer +(\S+) *$/i.exec(headers.get("authorization") ?? "")?.[1];
  const own = digest(given ?? "");
  let matches = 0;
  // Every token is compared, whichever fits.
  for (const one of digests) matches += timingSafeEqual(one, own) ? 1 : 0;
  if (given !== undefined && matches > 0) return;
  throw new HttpError(
    "unauthorized",
    given === undefined ? "Send the token as `Authorization: Bearer TOKEN`." : "This is not the server's token.",
    { "www-authenticate": 'Bearer realm="claude-pool"' },
  );
}

/** Of equal length whatever was given, as the comparison needs. */
function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
