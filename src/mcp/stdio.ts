/** The pool's MCP server over a pair of streams: one client, from its first message until it is gone. */
import type { Readable, Writable } from "node:stream";
import { serveStdio, StdioServerTransport } from "@modelcontextprotocol/server/stdio";
import type { Pool } from "../pool.ts";
import { poolServer, type PoolServerOptions } from "./server.ts";

export interface StdioStreams {
  readonly stdin: Readable;
  readonly stdout: Writable;
}

export interface StdioServing {
  /** Resolves when the client is gone: its end of stdin, or a stdout that nobody reads. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

/** The longest message that a client may send, in bytes; a longer one ends the connection. */
const maxMessageBytes = 64 * 1024 * 1024;

/** What is no message of the protocol is ignored; of why it is none the package tells a page. */
function told(error: Error): Error {
  return error.name.endsWith("ZodError")
    ? new Error("a message that is no JSON-RPC was ignored", { cause: error })
    : error;
}

/** Serves one client; what it began stays in the queue when it goes. */
export function serveOverStdio(
  pool: Pool,
  { stdin, stdout }: StdioStreams,
  options: PoolServerOptions & { readonly onError?: (error: Error) => void } = {},
): StdioServing {
  const { onError, ...rest } = options;
  const shared = poolServer(pool, rest);
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  stdin.once("end", () => resolve()).once("close", () => resolve());
  stdout.once("error", () => resolve()).once("close", () => resolve());
  const transport = new StdioServerTransport(stdin, stdout, { maxBufferSize: maxMessageBytes });
  const handle = serveStdio(({ era }) => shared.connect(era), {
    transport,
    onerror: (error) => onError?.(told(error)),
  });
  return {
    ended,
    async close() {
      await handle.close();
      shared.close();
    },
  };
}
