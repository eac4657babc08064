import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { receiver } from "../webhooks/receiver.ts";
import { rig, type Rig } from "./rig.ts";

let place: Rig;
beforeEach(() => {
  place = rig();
});
afterEach(() => place[Symbol.dispose]());

const containing = (text: string): unknown => expect.stringContaining(text);
const containingAll = (...all: number[]): unknown => expect.arrayContaining(all);
const withFields = (fields: object): unknown => expect.objectContaining(fields);
const token = "a-token-of-twenty-two-characters";

describe("serve --http", () => {
  it.each([
    [["serve", "--port", "0"], "--port says how HTTP is served, but --http was not given"],
    [["serve", "--http", "--port", "70000"], "--port: expected a whole number from 0 to 65535"],
    [["serve", "--http", "--host", "0.0.0.0"], "can be reached by others, so a token is needed"],
    [["serve", "--http", "--token-file", "none"], "--token-file: cannot read"],
    [["serve", "--http", "--allowed-origin", "dash.example"], "--allowed-origin: expected an origin"],
    [["serve", "--http", "--allowed-host", "http://dash.example"], "--allowed-host: expected a name"],
    [["serve", "--http", "--rate", "0"], "--rate: expected a whole number of at least 1"],
    [["serve", "--max-streams", "5"], "--max-streams says how HTTP is served, but --http was not given"],
  ])("refuses %j", async (argv, said) => {
    const { exitCode, stderr } = await place.run(argv);

    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: containing(said) });
  });

  it("says which token is none, and what to do about a name that leads nowhere", async () => {
    const short = await place.run(["serve", "--http", "--port", "0"], { env: { CLAUDE_POOL_TOKEN: "short" } });
    const nowhere = await place.run(["serve", "--http", "--port", "0", "--host", "nowhere.invalid"], {
      env: { CLAUDE_POOL_TOKEN: token },
    });

    expect([short.exitCode, short.stderr, nowhere.exitCode, nowhere.stderr]).toEqual([
      2,
      containing("CLAUDE_POOL_TOKEN: a token must have at least 16 characters"),
      1,
      containing("Cannot listen on nowhere.invalid:0"),
    ]);
  });

  it("warns of a file of tokens that others can read, and asks no more of one address than it was told", async () => {
    const file = join(place.project, "token");
    writeFileSync(file, `${token}\n`);
    chmodSync(file, 0o644);
    const serving = place.spawn(["serve", "--http", "--port", "0", "--token-file", "token", "--rate", "1"]);
    const said = await serving.hasSaid("Listening on ");
    const url = /Listening on (\S+)/.exec(said)?.[1] ?? "";

    const answers = [];
    for (let n = 0; n < 4; n += 1) answers.push((await fetch(`${url}/healthz`)).status);
    serving.interrupt();
    await serving.ran;

    expect([said, answers]).toEqual([containing("others can read"), containingAll(200, 429)]);
  });

  it("tells as JSON where it listens, asks for the token of the file, and ends at Ctrl-C", async () => {
    writeFileSync(join(place.project, "token"), `${token}\n`);
    const serving = place.spawn(["serve", "--http", "--port", "0", "--token-file", "token", "--json"]);
    const url = /Listening on (\S+)/.exec(await serving.hasSaid("Listening on "))?.[1] ?? "";

    const without = await fetch(`${url}/v1/pool/status`);
    const withIt = await fetch(`${url}/v1/pool/status`, { headers: { authorization: `Bearer ${token}` } });
    serving.interrupt();
    const { exitCode, stdout } = await serving.ran;

    expect({
      statuses: [without.status, withIt.status],
      exitCode,
      said: (JSON.parse(stdout) as { readonly url: string }).url,
    }).toEqual({
      statuses: [401, 200],
      exitCode: 0,
      said: url,
    });
  });

  it("takes no longer body than it was told, of REST and of MCP alike", async () => {
    const serving = place.spawn(["serve", "--http", "--port", "0", "--max-body-mib", "1"]);
    const url = /Listening on (\S+)/.exec(await serving.hasSaid("Listening on "))?.[1] ?? "";
    const post = (path: string, length: number): Promise<Response> =>
      fetch(url + path, {
        method: "POST",
        headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
        body: " ".repeat(length),
      });

    const statuses = [];
    for (const path of ["/v1/tasks", "/mcp"]) {
      for (const length of [1_000_000, 1_100_000]) statuses.push((await post(path, length)).status);
    }
    serving.interrupt();
    await serving.ran;

    expect(statuses).toEqual([400, 413, 400, 413]);
  });

  it("takes the token from the environment, and says what to do when the port is taken", async () => {
    const serving = place.spawn(["serve", "--http", "--port", "0"], { CLAUDE_POOL_TOKEN: token });
    const url = new URL(/Listening on (\S+)/.exec(await serving.hasSaid("Listening on "))?.[1] ?? "");

    const without = await fetch(new URL("/v1/pool/status", url));
    const second = await place.run(["serve", "--http", "--port", url.port]);
    serving.interrupt();
    await serving.ran;

    expect({ status: without.status, exitCode: second.exitCode, stderr: second.stderr }).toEqual({
      status: 401,
      exitCode: 1,
      stderr: containing("--port 0 takes any that is free"),
    });
  });
});

describe("webhook", () => {
  it("adds, lists, tests and removes an address", async () => {
    const hook = await receiver();

    const added = await place.run(["webhook", "add", hook.url, "--event", "task_failed", "--allow-private", "--json"]);
    const { id, secret } = JSON.parse(added.stdout) as { readonly id: string; readonly secret: string };
    const listed = await place.run(["webhook", "list", "--json"]);
    const tested = await place.run(["webhook", "test", id]);
    const removed = await place.run(["webhook", "remove", id]);
    const again = await place.run(["webhook", "remove", id]);

    expect({
      listed: JSON.parse(listed.stdout) as unknown,
      tested: [tested.stdout, hook.got.map(({ event, isSigned }) => [event, isSigned(secret)])],
      exits: [added, tested, removed, again].map(({ exitCode }) => exitCode),
    }).toEqual({
      listed: withFields({ id, url: hook.url, events: ["task_failed"], allow_private: true, pending: 0 }),
      tested: ["delivered\n", [["test", true]]],
      exits: [0, 0, 0, 4],
    });
  });

  it("refuses what is no event, and says which was meant", async () => {
    const { exitCode, stderr } = await place.run(["webhook", "add", "https://example.com/", "--event", "task_fialed"]);

    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: containing('Did you mean "task_failed"?'),
    });
  });
});
