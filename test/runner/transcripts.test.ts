import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findRemains } from "../../src/runner/claude/transcripts.ts";

const runId = "11111111-1111-4111-8111-111111111111";
const prompt = (uuid: string): object => ({ type: "user", uuid, promptSource: "sdk" });
const cost = (totalCostUSD: number): object => ({ type: "cost-state", totalCostUSD });

describe("what a lost run left in the transcripts", () => {
  let configDir = "";
  beforeEach(async () => {
    configDir = await mkdtemp(join(tmpdir(), "claude-pool-transcripts-"));
  });
  afterEach(() => rm(configDir, { recursive: true, force: true }));

  async function transcript(folder: string, session: string, lines: readonly (object | string)[]): Promise<string> {
    await mkdir(join(configDir, "projects", folder), { recursive: true });
    const file = join(configDir, "projects", folder, `${session}.jsonl`);
    await writeFile(file, lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"));
    return file;
  }

  it.each<[string, readonly (object | string)[], object]>([
    ["its conversation and its cost", [prompt(runId), cost(0.5)], { sessionId: "s", costMicrodollars: 500_000 }],
    ["no cost when it was killed", [prompt(runId), '{"type":"assist'], { sessionId: "s" }],
    ["no cost of its own among others", [prompt("other"), prompt(runId), cost(0.5)], { sessionId: "s" }],
    ["no cost of an earlier process", [cost(0.5), prompt(runId)], { sessionId: "s" }],
    ["nothing when its prompt never came", [prompt("other"), cost(0.5)], {}],
  ])("is %s", async (_, lines, remains) => {
    await transcript("-home-ada-a-b", "s", lines);
    expect(await findRemains(configDir, { runId, cwd: "/home/ada/a.b", sinceMs: 0 })).toEqual(remains);
  });

  it("is found in the folder that the conversation began in, and only in files written since", async () => {
    const file = await transcript("-elsewhere", "s", [prompt(runId)]);
    const found = await findRemains(configDir, { runId, cwd: "/home/ada", sinceMs: Date.now() });
    await utimes(file, 1_000, 1_000);
    const old = await findRemains(configDir, { runId, cwd: "/home/ada", sinceMs: Date.now() });
    const none = await findRemains(join(configDir, "none"), { runId, cwd: "/home/ada", sinceMs: 0 });
    expect([found, old, none]).toEqual([{ sessionId: "s" }, {}, {}]);
  });
});
