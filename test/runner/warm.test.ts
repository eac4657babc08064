import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { text, toolUse } from "../../src/testing/index.ts";
import { ending, run, startRig } from "./rig.ts";

describe("a warm process", () => {
  it("does one task after the other, and the next sees nothing of the one before", async () => {
    await using rig = await startRig({ settings: { model: "haiku" } });
    const slot = await rig.open();
    rig.api.on("first", toolUse("Bash", { command: "cd / && echo first-was-here" }), text("one"));
    rig.api.on("second", toolUse("Bash", { command: "pwd" }), text("two"));
    rig.api.on("third", toolUse("Write", { file_path: join(rig.cwd, "x"), content: "x" }), text("three"));
    const first = await run(slot, "first", {
      model: "sonnet",
      effort: "low",
      permissionMode: "acceptEdits",
      allowedTools: ["Bash", "Write"],
    });
    const cleared = await slot.clear();
    const second = await run(slot, "second", { allowedTools: ["Bash(pwd)"] });
    await slot.clear();
    const third = await run(slot, "third");
    const calls = rig.api.requests.filter((request) => request.path === "/v1/messages");
    const afterClear = calls.filter((request) => request.prompt.includes("second"));
    const secondText = JSON.stringify(afterClear.map((request) => request.body));
    expect({
      cleared,
      outputs: [first, second, third].map(({ outcome }) => [
        outcome.kind,
        outcome.result.reason,
        outcome.result.output,
      ]),
      models: [first, second, third].map(({ outcome }) => outcome.result.model),
      efforts: calls.map((request) => (request.body as { output_config?: { effort?: string } }).output_config?.effort),
      conversations: new Set([first, second, third].map(({ outcome }) => outcome.result.sessionId)).size,
      seesFirst: secondText.includes("first-was-here"),
      worksInItsFolder: secondText.includes(`"content":"${rig.cwd}"`),
    }).toEqual({
      cleared: true,
      outputs: [
        ["completed", undefined, "one"],
        ["completed", undefined, "two"],
        ["failed", "permission", "three"],
      ],
      models: ["claude-sonnet-5-5", "claude-haiku-5-5", "claude-haiku-5-5"],
      efforts: ["low", "low", "medium", "medium", "medium", "medium"],
      conversations: 3,
      seesFirst: false,
      worksInItsFolder: true,
    });
  });

  it("takes a prompt for text, whatever it looks like, and sends a large one whole", async () => {
    await using rig = await startRig();
    const secret = await rig.write("secret.txt", "the secret itself");
    const slot = await rig.open();
    const model = await run(slot, "/model opus");
    await slot.clear();
    const file = await run(slot, `read @${secret} and @secret.txt`);
    await slot.clear();
    const large = await run(slot, "x".repeat(2_000_000));
    await slot.clear();
    const tooLarge = await run(slot, "x".repeat(5_000_000));
    const bodies = rig.api.requests
      .filter((request) => request.path === "/v1/messages")
      .map((r) => JSON.stringify(r.body));
    expect({
      endings: [model, file, large, tooLarge].map(({ outcome }) => ending(outcome)),
      commandSent: bodies[0]?.includes("/model opus"),
      secretSent: bodies.some((body) => body.includes("the secret itself")),
      requests: bodies.length,
      largeWhole: (bodies[2]?.length ?? 0) > 2_000_000,
    }).toEqual({
      endings: [
        { kind: "completed" },
        { kind: "completed" },
        { kind: "completed" },
        { kind: "failed", reason: "prompt_too_long" },
      ],
      commandSent: true,
      secretSent: false,
      requests: 3,
      largeWhole: true,
    });
  });

  it("gives the model its context, the project's CLAUDE.md and the appended prompt, and starts none of the project's servers", async () => {
    await using rig = await startRig({ settings: { enableAllProjectMcpServers: true } });
    await rig.write("CLAUDE.md", "Rule of the house: be kind.");
    const trace = join(rig.home, "server-was-here");
    await rig.write(".mcp.json", JSON.stringify({ mcpServers: { spy: { command: "touch", args: [trace] } } }));
    const slot = await rig.open({ systemPrompt: "You are slot seven." });
    const first = await run(slot, "hello", { context: "<pool-context>colour: blue</pool-context>" });
    await slot.clear();
    await run(slot, "again");
    const [one, two] = rig.api.requests.filter((r) => r.path === "/v1/messages").map((r) => JSON.stringify(r.body));
    expect({
      kind: first.outcome.kind,
      context: [one, two].map((body) => body?.includes("colour: blue")),
      houseRule: [one, two].map((body) => body?.includes("be kind")),
      prompt: [one, two].map((body) => body?.includes("You are slot seven.")),
      serverStarted: await readFile(trace).then(
        () => true,
        () => false,
      ),
    }).toEqual({
      kind: "completed",
      context: [true, false],
      houseRule: [true, true],
      prompt: [true, true],
      serverStarted: false,
    });
  });

  it("tells text, tools and cost as they come, each once", async () => {
    await using rig = await startRig();
    rig.api.on(
      "look",
      toolUse("Bash", { command: "echo hi" }, { text: "I look." }),
      text("It says hi.", { chunks: 3 }),
    );
    const slot = await rig.open();
    const { outcome, events } = await run(slot, "look", { allowedTools: ["Bash"] });
    expect({
      text: events.flatMap((event) => (event.type === "text" ? [event.text] : [])).join(""),
      tools: events.filter((event) => event.type === "tool"),
      costs: events.filter((event) => event.type === "cost").map((event) => event.costMicrodollars),
      conversations: events.filter((event) => event.type === "conversation"),
      result: { ...outcome.result, elapsedMs: 0, modelUsage: undefined },
    }).toEqual({
      text: "I look.It says hi.",
      tools: [{ type: "tool", tool: "Bash", summary: "echo hi" }],
      costs: [600],
      conversations: [{ type: "conversation", sessionId: outcome.result.sessionId }],
      result: {
        output: "It says hi.",
        success: true,
        costMicrodollars: 1_200,
        turnsUsed: 2,
        elapsedMs: 0,
        model: "claude-opus-5-5",
        sessionId: outcome.result.sessionId,
        usage: { inputTokens: 200, outputTokens: 20, cacheReadInputTokens: 0, cacheCreationInputTokens: 0 },
        permissionMode: "default",
      },
    });
  });

  it("goes on in a conversation, and refuses one that does not exist", async () => {
    await using rig = await startRig();
    const slot = await rig.open();
    const first = await run(slot, "remember the word lantern");
    await slot.close();
    const resumed = await rig.open({}, { resume: first.outcome.result.sessionId ?? "" });
    const second = await run(resumed, "which word?");
    await resumed.close();
    const unknown = rig.open({}, { resume: "00000000-0000-4000-8000-000000000000" });
    await expect(unknown).rejects.toMatchObject({ code: "claude_broken" });
    const last = rig.api.requests.filter((request) => request.path === "/v1/messages").at(-1);
    expect({
      sameConversation: second.outcome.result.sessionId === first.outcome.result.sessionId,
      remembers: JSON.stringify(last?.body).includes("lantern"),
      costs: [first, second].map(({ outcome }) => outcome.result.costMicrodollars),
    }).toEqual({ sameConversation: true, remembers: true, costs: [600, 600] });
  });

  it("fails to open with the reason", async () => {
    await using rig = await startRig();
    const elsewhere = await mkdtemp(join(tmpdir(), "claude-pool-no-"));
    await rm(elsewhere, { recursive: true });
    await expect(rig.open({ cwd: elsewhere })).rejects.toMatchObject({ code: "cwd_not_found" });
    await using missing = await startRig({ executable: join(elsewhere, "claude") });
    await expect(missing.open()).rejects.toMatchObject({ code: "claude_not_found" });
    await using broken = await startRig({ executable: "/bin/false" });
    await expect(broken.open()).rejects.toMatchObject({ code: "claude_broken" });
  });
});
