/** `serve --http`: its flags, and where its token comes from. */
import { readFileSync, statSync } from "node:fs";
import { isIP } from "node:net";
import { resolve } from "node:path";
import type { Command } from "commander";
import { defined } from "../core/config.ts";
import { invalidOptions, PoolError } from "../core/errors.ts";
import type { Pool } from "../pool.ts";
// The server itself is loaded by those calls alone that serve.
import type { Bounds } from "../server/bounds.ts";
import type { HttpServer, HttpServerOptions } from "../server/http-server.ts";
import { checkToken } from "../server/token.ts";
import type { Call } from "./call.ts";
import { wholeNumber } from "./quantities.ts";

export interface HttpFlags {
  readonly http?: boolean;
  readonly port?: number;
  readonly host?: string;
  readonly tokenFile?: string;
  readonly allowedHost?: readonly string[];
  readonly allowedOrigin?: readonly string[];
  readonly rate?: number;
  readonly maxStreams?: number;
  readonly maxBodyMib?: number;
}

export function addHttpFlags(command: Command): Command {
  return command
    .optionsGroup("Over HTTP:")
    .option("--http", "answer HTTP, on the loopback address unless --host says otherwise")
    .option("--port <n>", "the port; 0: any that is free (default: 7673)", port)
    .option("--host <address>", "the address to listen on; any but a loopback one needs a token (default: 127.0.0.1)")
    .option("--token-file <file>", "tokens that are good, one a line (or CLAUDE_POOL_TOKEN); never on the command line")
    .option("--allowed-host <name>", "another name the server goes by, behind a proxy; may be given again", allowedHost)
    .option("--allowed-origin <origin>", "web pages of this origin may ask; may be given again", allowedOrigin)
    .option(
      "--rate <n>",
      "requests of one address in a second, twice as many at once (default: 500)",
      wholeNumber("--rate", 1),
    )
    .option("--max-streams <n>", "event streams at once (default: 1000)", wholeNumber("--max-streams", 0))
    .option(
      "--max-body-mib <n>",
      "the longest body of a request, in MiB (default: 16)",
      wholeNumber("--max-body-mib", 1),
    );
}

/** @throws {PoolError} `invalid_options`, for flags without `--http` too: who names a token means to be served. */
export function httpOptionsOf(call: Call, flags: HttpFlags): HttpServerOptions | undefined {
  const { http, ...how } = chosenOf(flags);
  if (http !== true) {
    const [given] = Object.keys(how);
    if (given === undefined) return undefined;
    const flag = `--${given.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw invalidOptions(`${flag} says how HTTP is served, but --http was not given.`, flag);
  }
  const { port: number, host, rate, maxStreams, maxBodyMib } = how;
  return defined({
    port: number,
    host,
    tokens: tokensOf(call, how.tokenFile),
    allowedHosts: how.allowedHost,
    allowedOrigins: how.allowedOrigin,
    bounds: defined<Partial<Bounds>>({
      requestsPerSecond: rate,
      burst: rate === undefined ? undefined : 2 * rate,
      maxStreams,
      maxBodyBytes: maxBodyMib === undefined ? undefined : maxBodyMib * 1024 * 1024,
    }),
    report: (error: unknown) => call.out.say(`http: ${error instanceof Error ? error.message : String(error)}`),
  });
}

/** Of all flags of the command, those of HTTP. */
function chosenOf(flags: HttpFlags): HttpFlags {
  const { http, port: number, host, tokenFile, allowedHost, allowedOrigin, rate, maxStreams, maxBodyMib } = flags;
  return defined<HttpFlags>({
    http,
    port: number,
    host,
    tokenFile,
    allowedHost,
    allowedOrigin,
    rate,
    maxStreams,
    maxBodyMib,
  });
}

/** Starts the server, if one was asked for. @throws {PoolError} `cannot_listen`, `invalid_options`. */
export async function listen(pool: Pool, options: HttpServerOptions | undefined): Promise<HttpServer | undefined> {
  if (options === undefined) return undefined;
  const { defaultHost, defaultPort, startHttpServer } = await import("../server/http-server.ts");
  const { defaultBounds } = await import("../server/bounds.ts");
  const { mcpHandler } = await import("../mcp/http.ts");
  const { maxBodyBytes } = { ...defaultBounds, ...options.bounds };
  const mcp = mcpHandler(pool, defined({ onError: options.report, maxBodyBytes }));
  try {
    return await startHttpServer(pool, { ...options, mcp });
  } catch (error) {
    await mcp.close();
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined || !cannotListen.has(code)) throw error;
    throw new PoolError(
      "cannot_listen",
      `Cannot listen on ${options.host ?? defaultHost}:${String(options.port ?? defaultPort)}: ${(error as Error).message}. Name another with --port or --host; --port 0 takes any that is free.`,
      {},
      error,
    );
  }
}

const cannotListen: ReadonlySet<string> = new Set([
  "EADDRINUSE",
  "EACCES",
  "EADDRNOTAVAIL",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EINVAL",
]);

function tokensOf(call: Call, file: string | undefined): readonly string[] {
  const variable = call.io.env.CLAUDE_POOL_TOKEN;
  if (file === undefined) {
    if (variable === undefined || variable === "") return [];
    checkToken(variable, "CLAUDE_POOL_TOKEN");
    return [variable];
  }
  const path = resolve(call.io.cwd, file);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw invalidOptions(
      `--token-file: cannot read ${JSON.stringify(file)}: ${(error as Error).message}.`,
      "--token-file",
    );
  }
  const tokens = text.split("\n").map((line) => line.trim());
  const given = tokens.filter((token) => token !== "");
  for (const token of given) checkToken(token, "--token-file");
  // A warning and no refusal: where secrets are mounted into a container their mode is not the user's to choose.
  if (given.length > 0 && (statSync(path).mode & 0o077) !== 0)
    call.out.say(`--token-file: others can read ${JSON.stringify(file)}; \`chmod 600\` keeps the token to you.`);
  if (given.length > 0) return given;
  throw invalidOptions(`--token-file: ${JSON.stringify(file)} holds no token.`, "--token-file");
}

function port(text: string): number {
  const number = Number(text);
  if (/^\d{1,5}$/.test(text) && number <= 65_535) return number;
  throw invalidOptions(`--port: expected a whole number from 0 to 65535, got ${JSON.stringify(text)}.`, "--port");
}

function allowedHost(text: string, before: readonly string[] = []): readonly string[] {
  if (/^[a-z0-9][a-z0-9.-]*$/i.test(text) || isIP(text) !== 0) return [...before, text];
  throw invalidOptions(
    `--allowed-host: expected a name or an address without scheme and port, such as pool.example, got ${JSON.stringify(text)}.`,
    "--allowed-host",
  );
}

function allowedOrigin(text: string, before: readonly string[] = []): readonly string[] {
  const origin = URL.parse(text)?.origin;
  if (/^https?:\/\//i.test(text) && origin === text.toLowerCase().replace(/\/$/, "")) return [...before, text];
  throw invalidOptions(
    `--allowed-origin: expected an origin such as https://dash.example or http://localhost:3000, got ${JSON.stringify(text)}.`,
    "--allowed-origin",
  );
}
