/** The official client, connected to a pool's MCP server over two streams, as a client over stdio is; the pool in the test's hands. */
import { PassThrough, type Readable, type Writable } from "node:stream";
import {
  Client,
  ReadBuffer,
  serializeMessage,
  StreamableHTTPClientTransport,
  SUPPORTED_PROTOCOL_VERSIONS,
  type JSONRPCMessage,
  type Transport,
} from "@modelcontextprotocol/client";
import { onTestFinished } from "vitest";
import type { OpenPoolOptions } from "../../src/core/api.ts";
import { mcpHandler } from "../../src/mcp/http.ts";
import type { PoolServerOptions } from "../../src/mcp/server.ts";
import { serveOverStdio } from "../../src/mcp/stdio.ts";
import type { Pool } from "../../src/pool.ts";
import type { RunnerScript } from "../../src/testing/scripted-runner.ts";
import { scriptedPool, type ScriptedPool } from "../engine/scripted-pool.ts";

export const newest = "2026-07-28";
/** Every revision that the official packages know. */
export const revisions: readonly string[] = [newest, ...SUPPORTED_PROTOCOL_VERSIONS];

/** Every way to reach the server: streamable HTTP came with the revision of March 2025. */
export const ways: readonly (readonly ["stdio" | "http", string])[] = [
  ...revisions.map((revision) => ["stdio", revision] as const),
  ...revisions.filter((revision) => revision >= "2025-03-26").map((revision) => ["http", revision] as const),
];

export type Fields = Readonly<Record<string, unknown>>;

export interface Connected extends ScriptedPool {
  readonly client: Client;
  /** What a tool answered, as structured content; an error is thrown with its text. */
  readonly call: (tool: string, given?: Fields) => Promise<Fields>;
  /** The error that a tool answered with. */
  readonly refusal: (tool: string, given?: unknown) => Promise<Fields>;
}

export interface ConnectOptions extends PoolServerOptions {
  readonly revision?: string;
  /** Default `stdio`. */
  readonly transport?: "stdio" | "http";
  readonly pool?: OpenPoolOptions;
  readonly script?: RunnerScript;
}

/** A scripted pool with a client, both gone when the test is over. */
export async function connected({ pool: options, script, ...rest }: ConnectOptions = {}): Promise<Connected> {
  const made = await scriptedPool(options, script);
  const client = await clientOf(made.pool, rest);
  return {
    ...made,
    client,
    call: async (tool, given = {}) => {
      const result = await client.callTool({ name: tool, arguments: given });
      if (result.isError === true) throw new Error(textOf(result));
      return result.structuredContent as Fields;
    },
    refusal: async (tool, given = {}) => {
      const result = await client.callTool({ name: tool, arguments: given as Record<string, unknown> });
      if (result.isError !== true) throw new Error(`no refusal: ${textOf(result)}`);
      return (JSON.parse(textOf(result)) as { readonly error: Fields }).error;
    },
  };
}

/** A client on a pool that the test has opened. */
export async function clientOf(
  pool: Pool,
  { revision = "2025-11-25", transport = "stdio", ...options }: Omit<ConnectOptions, "pool" | "script"> = {},
): Promise<Client> {
  return transport === "stdio" ? overStreams(pool, revision, options) : overHttp(pool, revision, options);
}

async function overHttp(pool: Pool, revision: string, options: PoolServerOptions): Promise<Client> {
  const handler = mcpHandler(pool, options);
  const client = newClient(revision);
  const fetch = (url: string | URL, init?: RequestInit): Promise<Response> => handler.fetch(new Request(url, init));
  await client.connect(new StreamableHTTPClientTransport(new URL("http://127.0.0.1/mcp"), { fetch }));
  onTestFinished(async () => {
    await client.close();
    await handler.close();
  });
  return client;
}

async function overStreams(pool: Pool, revision: string, options: PoolServerOptions): Promise<Client> {
  const [toServer, toClient] = [new PassThrough(), new PassThrough()];
  const serving = serveOverStdio(pool, { stdin: toServer, stdout: toClient }, options);
  const client = newClient(revision);
  await client.connect(streamTransport(toClient, toServer));
  onTestFinished(async () => {
    await client.close();
    await serving.close();
  });
  return client;
}

/** The official client, held to one revision. */
export function newClient(revision: string): Client {
  return new Client(
    { name: "test", version: "1" },
    revision === newest ? { versionNegotiation: { mode: { pin: newest } } } : { supportedProtocolVersions: [revision] },
  );
}

function textOf(result: unknown): string {
  const { content } = result as { readonly content: readonly { readonly text?: string }[] };
  return content[0]?.text ?? "";
}

function streamTransport(input: Readable, output: Writable): Transport {
  const buffer = new ReadBuffer();
  const transport: Transport = {
    async start() {
      input.on("data", (chunk: Buffer) => {
        buffer.append(chunk);
        for (let message = buffer.readMessage(); message !== null; message = buffer.readMessage()) {
          transport.onmessage?.(message);
        }
      });
    },
    async send(message: JSONRPCMessage) {
      output.write(serializeMessage(message));
    },
    async close() {
      output.end();
      transport.onclose?.();
    },
  };
  return transport;
}
