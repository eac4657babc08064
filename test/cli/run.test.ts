/** The main path, end to end: the program, the pool, the real Claude CLI, on a scripted model. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { apiError, gate, startScriptedApi, text, toolUse, type ScriptedApi } from "../../src/testing/index.ts";
import { rig, type Rig } from "./rig.ts";

let api: ScriptedApi;
let place: Rig;

beforeEach(async () => {
  api = await startScriptedApi();
  place = rig();
  place.userFile({ env: api.environment(place.claudeHome) });
});

afterEach(async () => {
  await api.close();
  place[Symbol.dispose]();
});

describe("claude-pool run", () => {
  it("prints the answer alone on stdout, and says on stderr that mode plan changed nothing", async () => {
    api.on("Say hello", text("Hello from the model."));
    const ran = await place.run(["run", "Say", "hello"]);
    expect({ ...ran, stderr: ran.stderr.includes("--permission-mode acceptEdits") }).toEqual({
      exitCode: 0,
      stdout: "Hello from the model.\n",
      stderr: true,
    });
  });

  it("lets the CLI edit files in mode acceptEdits, and prints the record with --json", async () => {
    const file = join(place.project, "a.txt");
    api.on("Write a.txt", toolUse("Write", { file_path: file, content: "written" }), text("Done."));
    const ran = await place.run(["run", "--json", "--permission-mode", "acceptEdits", "--tag", "t", "-"], {
      stdin: "Write a.txt\n",
    });
    const record = JSON.parse(ran.stdout) as Record<string, unknown>;
    expect({ exit: ran.exitCode, file: readFileSync(file, "utf8"), record }).toEqual({
      exit: 0,
      file: "written",
      record: expect.objectContaining({
        prompt: "Write a.txt",
        state: "completed",
        tags: ["t"],
        config: { permission_mode: "acceptEdits" },
        result: expect.objectContaining({ output: "Done.", success: true, permission_mode: "acceptEdits" }) as unknown,
      }) as unknown,
    });
  });

  it("streams the text with --on-output, and does not print the answer twice", async () => {
    api.on("Count", text("one two three", { chunks: 3 }));
    const { exitCode, stdout } = await place.run(["run", "--on-output", "Count"]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "one two three\n" });
  });

  it("ends with 1 and says why when the task fails, and with 3 when it passed its cap", async () => {
    api.on("Publish", toolUse("Bash", { command: "npm publish" }), text("No."));
    const big = { usage: { inputTokens: 100_000, outputTokens: 10_000 } };
    api.on("Spend", toolUse("Read", { file_path: join(place.project, "none") }, big));
    const failed = await place.run(["run", "--permission-mode", "acceptEdits", "Publish"]);
    const over = await place.run(["run", "--permission-mode", "acceptEdits", "--max-budget-usd", "0.01", "Spend"]);
    expect([failed.exitCode, failed.stderr.includes("permission: "), over.exitCode]).toEqual([1, true, 3]);
  });

  it("lets the running task finish at the first Ctrl-C, and still ends with 130", async () => {
    const answer = gate(text("Finished."));
    api.on("Take long", answer);
    const call = place.start(["run", "Take long"]);
    await api.waitForRequest("Take long");
    call.interrupt();
    answer.release();
    const { exitCode, stdout } = await call.ran;
    expect({ exitCode, stdout }).toEqual({ exitCode: 130, stdout: "Finished.\n" });
  });

  it("stops the task at the second Ctrl-C, and leaves it cancelled", async () => {
    api.on("Watch", toolUse("Bash", { command: "tail -f /dev/null" }), text("never"));
    const call = place.start(["run", "--json", "--permission-mode", "acceptEdits", "--allowed-tools", "Bash", "Watch"]);
    await api.waitForRequest("Watch");
    call.interrupt();
    call.interrupt();
    const { exitCode, stdout } = await call.ran;
    expect({ exitCode, state: (JSON.parse(stdout) as { state: string }).state }).toEqual({
      exitCode: 130,
      state: "cancelled",
    });
  });

  it("refuses before it starts anything", async () => {
    const ran = await place.run(["run", "--model", "sonet", "x"]);
    expect({ ...ran, requests: api.requests.length }).toEqual({
      exitCode: 2,
      stdout: "",
      stderr: expect.stringContaining('Did you mean "sonnet"?') as string,
      requests: 0,
    });
  });
});

describe("claude-pool fan-out", () => {
  it("prints a record a line in the order of the inputs, whatever becomes of each", async () => {
    api.on("slow", text("slow done", { delayMs: 300 }));
    api.on("fast", text("fast done"));
    api.on("bad", apiError(400, { message: "no" }));
    const lines = ['"slow"', '{"prompt": "bad"}', '{"prompt": "fast", "tags": ["x"], "priority": 2}'].join("\n");
    const ran = await place.run(["fan-out", "--json", "--jsonl", "--slots", "2"], { stdin: lines });
    const records = ran.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { prompt: string; state: string });
    expect({ exit: ran.exitCode, records: records.map(({ prompt, state }) => [prompt, state]) }).toEqual({
      exit: 1,
      records: [
        ["slow", "completed"],
        ["bad", "failed"],
        ["fast", "completed"],
      ],
    });
  });

  it("cancels its own waiting tasks at the first Ctrl-C and nothing else of the pool", async () => {
    const other = (await place.run(["submit", "somebody else's"])).stdout.trim();
    const answer = gate(text("first done"));
    api.on("first", answer);
    const call = place.start(["fan-out", "--json", "--slots", "1", "first", "second", "third"]);
    await api.waitForRequest("first");
    call.interrupt();
    answer.release();
    const { exitCode, stdout } = await call.ran;
    const states = stdout
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { state: string }).state);
    const left = JSON.parse((await place.run(["result", "--json", other])).stdout) as { state: string };
    expect({ exitCode, states, left: left.state }).toEqual({
      exitCode: 130,
      states: ["completed", "cancelled", "cancelled"],
      left: "pending",
    });
  });

  it("names the line that is no task", async () => {
    const ran = await place.run(["fan-out", "--jsonl", "-"], { stdin: '"a"\n\n{"promt": "b"}\n' });
    expect(ran).toEqual({
      exitCode: 2,
      stdout: "",
      stderr: 'error: stdin, line 3: unknown field "promt". Did you mean "prompt"?\n',
    });
  });
});

describe("claude-pool serve", () => {
  it("carries out what another call submits, until it is told to stop", async () => {
    api.on("queued", text("done by the server"));
    const server = place.spawn(["serve", "--slots", "1", "--json"]);
    await server.hasSaid("Hosting");
    const id = (await place.run(["submit", "queued"])).stdout.trim();
    const waited = await place.run(["wait", "--json", id]);
    const result = await place.run(["result", id.slice(0, 9)]);
    server.interrupt();
    const served = await server.ran;
    expect({
      waited: [waited.exitCode, (JSON.parse(waited.stdout) as { state: string }).state],
      result: result.stdout,
      served: served.exitCode,
      hosts: (JSON.parse((await place.run(["status", "--json"])).stdout) as { hosts: number }).hosts,
    }).toEqual({ waited: [0, "completed"], result: "done by the server\n", served: 0, hosts: 0 });
  });

  it("puts what runs back into the queue at the second Ctrl-C", async () => {
    api.on("endless", toolUse("Bash", { command: "tail -f /dev/null" }), text("never"));
    const server = place.spawn([
      "serve",
      "--slots",
      "1",
      "--permission-mode",
      "acceptEdits",
      "--allowed-tools",
      "Bash",
    ]);
    await server.hasSaid("Hosting");
    const id = (await place.run(["submit", "endless"])).stdout.trim();
    await api.waitForRequest("endless");
    server.interrupt();
    await server.hasSaid("Ctrl-C again");
    server.interrupt();
    const served = await server.ran;
    const result = await place.run(["result", "--json", id]);
    expect([served.exitCode, result.exitCode, (JSON.parse(result.stdout) as { state: string }).state]).toEqual([
      130,
      4,
      "pending",
    ]);
  });

  it("is known to be gone at once after a kill -9", async () => {
    const server = place.spawn(["serve"]);
    await server.hasSaid("Hosting");
    const before = await place.run(["submit", "x"]);
    await place.run(["wait", before.stdout.trim()]); // an idle Claude ends with its host
    server.kill();
    await server.ran;
    const after = await place.run(["submit", "y"]);
    expect([before.stderr, after.stderr.includes("claude-pool serve")]).toEqual(["", true]);
  });

  it("ends when the pool is drained by another call", async () => {
    const server = place.spawn(["serve", "--slots", "1", "--json"]);
    await server.hasSaid("Hosting");
    const id = (await place.run(["submit", "quick"])).stdout.trim();
    await place.run(["wait", id]);
    const drained = await place.run(["drain", "--json"]);
    expect([drained.exitCode, (await server.ran).exitCode, JSON.parse(drained.stdout)]).toEqual([
      0,
      0,
      expect.objectContaining({ total_tasks_completed: 1, cancelled_pending: [] }),
    ]);
  });
});
