/** An address that deliveries are sent to, and what it got. */
import { createHmac } from "node:crypto";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export interface Got {
  readonly id: string;
  readonly event: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly isSigned: (secret: string) => boolean;
}

export interface Receiver {
  readonly url: string;
  readonly got: readonly Got[];
  /** The next answers, one after the other; then 200. `hang` answers never, a path is a redirect to it. */
  readonly answer: (...answers: readonly (number | "hang" | { readonly location: string })[]) => void;
  /** Resolves when so many deliveries have come in all. */
  readonly has: (count: number) => Promise<void>;
}

export async function receiver(): Promise<Receiver> {
  const got: Got[] = [];
  const answers: (number | "hang" | { readonly location: string })[] = [];
  let heard: () => void = () => undefined;
  const server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (part: string) => (text += part));
    request.on("end", () => {
      const body = JSON.parse(text) as Readonly<Record<string, unknown>>;
      got.push({
        id: String(request.headers["webhook-id"]),
        event: String(body.event),
        body,
        isSigned: (secret) => signature(secret, request.headers, text) === request.headers["webhook-signature"],
      });
      heard();
      const answer = answers.shift() ?? 200;
      if (answer === "hang") return;
      if (typeof answer === "number") response.writeHead(answer).end();
      else response.writeHead(302, answer).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/hook`,
    got,
    answer: (...more) => answers.push(...more),
    async has(count) {
      while (got.length < count) {
        await new Promise<void>((resolve) => {
          heard = resolve;
        });
      }
    },
  };
}

/** As the standard says it is made, written down a second time. */
function signature(secret: string, headers: IncomingHttpHeaders, body: string): string {
  const key = Buffer.from(secret.slice("whsec_".length), "base64");
  const signed = `${String(headers["webhook-id"])}.${String(headers["webhook-timestamp"])}.${body}`;
  return `v1,${createHmac("sha256", key).update(signed).digest("base64")}`;
}
