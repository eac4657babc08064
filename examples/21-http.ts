/** The pool over HTTP, with nothing but `fetch`: submit, follow the stream, read the record, be told by a webhook. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { text } from "claude-pool/testing";
import { offline } from "./shared/offline.ts";

await using stage = await offline();
stage.api.on("Summarise the notes", text("Write more tests."));
const { cwd, store, env } = stage.options;

// As in a terminal: claude-pool serve --http --port 0 --json
const program = fileURLToPath(new URL("../bin/claude-pool.js", import.meta.url));
const server = spawn(process.execPath, [program, "serve", "--http", "--port", "0", "--json", "--store", store], {
  cwd,
  env: { ...process.env, ...env },
  stdio: ["ignore", "pipe", "ignore"],
});
const [line] = (await once(createInterface(server.stdout), "line")) as [string];
const { url } = JSON.parse(line) as { readonly url: string };

const told = Promise.withResolvers<string>();
const receiver = createServer((request, response) => {
  let body = "";
  request.setEncoding("utf8").on("data", (part: string) => (body += part));
  request.on("end", () => {
    response.end();
    told.resolve((JSON.parse(body) as { readonly event: string }).event);
  });
});
await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
const { port } = receiver.address() as AddressInfo;
await post("/v1/webhooks", { url: `http://127.0.0.1:${String(port)}/hook`, allow_private: true });

const { task_id: id } = await post<{ readonly task_id: string }>("/v1/tasks", { prompt: "Summarise the notes" });

// Server-sent events, from the task's beginning to its end.
const stream = await fetch(`${url}/v1/tasks/${id}/stream`);
const events = (await stream.text()).matchAll(/^event: (.+)$/gm);
console.log("told by the stream:", [...events].map(([, name]) => name).join(", "));

const record = (await (await fetch(`${url}/v1/tasks/${id}`)).json()) as {
  readonly result: { readonly output: string };
};
console.log("the answer:", record.result.output);
console.log("told by the webhook:", await told.promise);

const refused = await fetch(`${url}/v1/tasks`, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ prompt: "x", modle: "opus" }),
});
console.log(refused.status, ((await refused.json()) as { readonly detail: string }).detail);

receiver.close();
server.kill("SIGINT");
await once(server, "exit");

async function post<T>(path: string, body: unknown): Promise<T> {
  const response = await fetch(url + path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as T;
}
