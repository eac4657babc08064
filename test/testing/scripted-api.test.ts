import { expect, test } from "vitest";
import {
  apiError,
  cutStream,
  delayed,
  gate,
  type ScriptedApi,
  sequence,
  stall,
  startScriptedApi,
  text,
  toolUse,
  withLimits,
} from "../../src/testing/index.ts";

interface Message {
  readonly role: "user" | "assistant";
  readonly content: unknown;
}

/** Asks as a client of the Messages API does; `session` stands for the CLI's session id. */
function post(
  api: ScriptedApi,
  messages: readonly Message[],
  options: { readonly session?: string; readonly stream?: boolean; readonly signal?: AbortSignal } = {},
): Promise<Response> {
  const { session = "one", stream = false, signal } = options;
  return fetch(`${api.url}/v1/messages`, {
    method: "POST",
    headers: { "x-claude-code-session-id": session },
    body: JSON.stringify({ model: "m-1", max_tokens: 50, system: "be brief", stream, messages }),
    ...(signal === undefined ? {} : { signal }),
  });
}

function user(content: unknown): Message {
  return { role: "user", content };
}

const toolResult = { type: "tool_result", tool_use_id: "t", content: [{ type: "text", text: "it ran" }] };
const usedTool: Message = { role: "assistant", content: [{ type: "tool_use", id: "t", name: "Bash", input: {} }] };
const answered: Message = { role: "assistant", content: [{ type: "text", text: "answered" }] };

/** The text, or the name of the tool, that an answer consists of. */
async function saidIn(response: Response): Promise<string | undefined> {
  const body = (await response.json()) as {
    readonly content?: readonly { readonly text?: string; readonly name?: string }[];
  };
  return body.content?.map((block) => block.text ?? block.name).join("|");
}

async function said(api: ScriptedApi, messages: readonly Message[], session?: string): Promise<string | undefined> {
  return saidIn(await post(api, messages, session === undefined ? {} : { session }));
}

test("a plain request gets a message with the default usage", async () => {
  await using api = await startScriptedApi({ usage: { inputTokens: 7 } });
  api.on("hello", text("hi"));

  const body: unknown = await (await post(api, [user("hello")])).json();

  expect(body).toEqual({
    id: "msg_scripted_0",
    type: "message",
    role: "assistant",
    model: "m-1",
    content: [{ type: "text", text: "hi" }],
    stop_reason: "end_turn",
    stop_sequence: null,
    usage: { input_tokens: 7, output_tokens: 10, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 },
  });
});

test("a streaming request gets the events of the API, the text in as many pieces as asked", async () => {
  await using api = await startScriptedApi();
  api.on("hello", text("good morning", { chunks: 2, chunkDelayMs: 1 }));

  const stream = await (await post(api, [user("hello")], { stream: true })).text();

  const events = stream
    .split("\n")
    .filter((line) => line.startsWith("data: "))
    .map((line) => JSON.parse(line.slice(6)) as { readonly type: string; readonly delta?: { readonly text?: string } });
  expect(events.map(({ type, delta }) => delta?.text ?? type)).toEqual([
    "message_start",
    "content_block_start",
    "good m",
    "orning",
    "content_block_stop",
    "message_delta",
    "message_stop",
  ]);
});

test("a request is logged with what tests ask about", async () => {
  await using api = await startScriptedApi();

  await post(api, [
    user("first"),
    usedTool,
    user([toolResult, { type: "text", text: "<system-reminder>be kind</system-reminder>" }]),
  ]);

  expect(api.requests).toEqual([
    expect.objectContaining({
      index: 0,
      method: "POST",
      path: "/v1/messages",
      conversation: "one",
      prompt: "first",
      userText: "<system-reminder>be kind</system-reminder>",
      toolResults: [{ toolUseId: "t", text: "it ran", isError: false }],
      model: "m-1",
      maxTokens: 50,
      system: "be brief",
      stream: false,
    }),
  ]);
});

test("the replies of a rule answer the calls of one turn in order, through its tool results, and the last repeats", async () => {
  await using api = await startScriptedApi();
  api.on("run it", toolUse("Bash", { command: "ls" }), text("done"));
  const turn = [user("run it")];

  const calls = [
    await said(api, turn),
    await said(api, [...turn, usedTool, user([toolResult])]),
    await said(api, [...turn, usedTool, user([toolResult]), usedTool, user([toolResult])]),
  ];

  expect(calls).toEqual(["Bash", "done", "done"]);
});

test("a retry of the same request takes the next reply", async () => {
  await using api = await startScriptedApi();
  api.on("hello", apiError(529), text("hi"));

  const first = await post(api, [user("hello")]);

  expect([first.status, await said(api, [user("hello")])]).toEqual([529, "hi"]);
});

test("two conversations with one prompt each get the rule's replies from the first on", async () => {
  await using api = await startScriptedApi();
  api.on("run it", toolUse("Bash", {}), text("done"));
  const again = [user("run it"), usedTool, user([toolResult])];

  const calls = [
    await said(api, [user("run it")], "one"),
    await said(api, [user("run it")], "two"),
    await said(api, again, "two"),
    await said(api, again, "one"),
  ];

  expect(calls).toEqual(["Bash", "Bash", "done", "done"]);
});

test("the same prompt in a later turn of the conversation starts the replies anew", async () => {
  await using api = await startScriptedApi();
  api.on("run it", text("first"), text("second"));

  const calls = [
    await said(api, [user("run it")]),
    await said(api, [user("run it"), answered, user("run it")]),
    await said(api, [user("run it"), answered, user("run it")]),
  ];

  expect(calls).toEqual(["first", "first", "second"]);
});

test("a sequence counts over all conversations", async () => {
  await using api = await startScriptedApi();
  api.on("deploy", sequence(text("first"), text("second")));

  const calls = await Promise.all([
    said(api, [user("deploy")], "one").then(async (first) => [first, await said(api, [user("deploy")], "two")]),
  ]);

  expect(calls).toEqual([["first", "second"]]);
});

test("reminders that the CLI adds select no rule", async () => {
  await using api = await startScriptedApi();
  api.on("review", text("wrong")).otherwise(text("right"));

  const answer = await said(api, [
    user([
      { type: "text", text: "<system-reminder>skills: review, write</system-reminder>" },
      {
        type: "text",
        text: "<command-name>/clear</command-name>\n<local-command-stdout>review</local-command-stdout>",
      },
      { type: "text", text: "hello" },
    ]),
  ]);

  expect(answer).toEqual("right");
});

test("a function sees what a text does not: injected context, tool results, the model", async () => {
  await using api = await startScriptedApi();
  api.on((request) => request.userText.includes("the colour is red"), text("red")).otherwise(text("unknown"));

  const answer = await said(api, [
    user([
      { type: "text", text: "<system-reminder>the colour is red</system-reminder>" },
      { type: "text", text: "which colour?" },
    ]),
  ]);

  expect(answer).toEqual("red");
});

test("what the CLI itself adds to a turn keeps the rule of its prompt", async () => {
  await using api = await startScriptedApi();
  api.on("count", text("three"), text("structured"));
  const enforced = user("[structured-output-enforce] You MUST call the StructuredOutput tool.");

  const calls = [await said(api, [user("count")]), await said(api, [user("count"), answered, enforced])];

  expect(calls).toEqual(["three", "structured"]);
});

test("after an interrupt only the new prompt counts, though no answer stands between the two", async () => {
  await using api = await startScriptedApi();
  api.on("slow", text("slow")).on("quick", text("quick"));

  const answer = await said(api, [
    user([
      { type: "text", text: "slow" },
      { type: "text", text: "[Request interrupted by user]" },
      { type: "text", text: "quick" },
    ]),
  ]);

  expect(answer).toEqual("quick");
});

test("a prompt after one that failed without an answer counts alone", async () => {
  await using api = await startScriptedApi();
  api.on("limited", apiError(429)).otherwise(text("fine"));

  const answer = await said(api, [
    user([
      { type: "text", text: "limited" },
      { type: "text", text: "another" },
    ]),
  ]);

  expect(answer).toEqual("fine");
});

test("a prompt beside a made-up tool result starts a turn, and text that is nobody's prompt does not", async () => {
  await using api = await startScriptedApi();
  api.on("run it", toolUse("Bash", {}), text("done")).on("go on", text("gone on"));
  const begun = [user("run it"), usedTool];

  const calls = [
    await said(api, [user("run it")]),
    await said(api, [...begun, user([toolResult, { type: "text", text: "Base directory for this skill: /x" }])]),
    await said(api, [...begun, user([toolResult, { type: "text", text: "go on" }])]),
  ];

  expect(calls).toEqual(["Bash", "done", "gone on"]);
});

test("a request that matches nothing gets ok", async () => {
  await using api = await startScriptedApi();
  api.on("something else", text("no"));

  expect(await said(api, [user("hello")])).toEqual("ok");
});

test("a reply may be a function of the request", async () => {
  await using api = await startScriptedApi();
  api.otherwise((request) => text(`you said ${request.prompt}`));

  expect(await said(api, [user("hello")])).toEqual("you said hello");
});

test("a reply function that throws shows its error in the answer", async () => {
  await using api = await startScriptedApi();
  api.otherwise(() => {
    throw new Error("a mistake in the script");
  });

  const response = await post(api, [user("hello")]);

  expect([response.status, (await response.text()).includes("a mistake in the script")]).toEqual([500, true]);
});

test("a usage limit's headers can stand on any reply", async () => {
  await using api = await startScriptedApi();
  api.otherwise(
    withLimits(text("fine"), { status: "allowed", utilization: 0.5, resetsAtMs: 2_000_000, type: "seven_day" }),
  );

  const { headers } = await post(api, [user("hello")]);

  expect([...headers].filter(([name]) => name.startsWith("anthropic-ratelimit"))).toEqual([
    ["anthropic-ratelimit-unified-7d-reset", "2000"],
    ["anthropic-ratelimit-unified-7d-status", "allowed"],
    ["anthropic-ratelimit-unified-7d-utilization", "0.5"],
    ["anthropic-ratelimit-unified-representative-claim", "seven_day"],
    ["anthropic-ratelimit-unified-reset", "2000"],
    ["anthropic-ratelimit-unified-status", "allowed"],
  ]);
});

test("a gate says who stands at it, and lets everybody through once released", async () => {
  await using api = await startScriptedApi();
  const held = gate(text("through"));
  api.on("wait", held);

  const first = said(api, [user("wait")]);
  const reached = await held.reached;
  held.release();

  expect([reached.prompt, await first, await said(api, [user("wait")], "two")]).toEqual(["wait", "through", "through"]);
});

test("a stall sends the beginning and ends when its promise does", async () => {
  await using api = await startScriptedApi();
  const until = Promise.withResolvers<void>();
  api.on("wait", stall({ afterText: "so far", until: until.promise }));

  const response = await post(api, [user("wait")], { stream: true });
  until.resolve();
  const stream = await response.text();

  expect([stream.includes("so far"), stream.includes("message_stop")]).toEqual([true, true]);
});

test("a cut stream breaks off after its beginning", async () => {
  await using api = await startScriptedApi();
  api.on("wait", cutStream());

  const response = await post(api, [user("wait")], { stream: true });

  await expect(response.text()).rejects.toThrow("terminated");
});

test("a client that goes away ends a delayed reply", async () => {
  await using api = await startScriptedApi();
  api.on("wait", delayed(text("too late"), 3_600_000));
  const gone = new AbortController();

  const asked = post(api, [user("wait")], { signal: gone.signal });
  await api.waitForRequest("wait");
  gone.abort();

  await expect(asked).rejects.toThrow("aborted");
});

test("waiting for a request resolves for one seen before and for one to come", async () => {
  await using api = await startScriptedApi();

  await said(api, [user("before")]);
  const later = api.waitForRequest(/later/);
  await said(api, [user("later")]);

  expect([(await api.waitForRequest("before")).index, (await later).index]).toEqual([0, 1]);
});

test("waiting for a request ends with its signal", async () => {
  await using api = await startScriptedApi();
  const stop = new AbortController();

  const waiting = api.waitForRequest("never", { signal: stop.signal });
  stop.abort(new Error("enough"));

  await expect(waiting).rejects.toThrow("enough");
});

test("closing ends a stalled connection and every waiter", async () => {
  const api = await startScriptedApi();
  api.on("wait", stall());
  const asked = post(api, [user("wait")]);
  const waiting = api.waitForRequest("never");
  await api.waitForRequest("wait");

  const [, forAnswer, forRequest] = await Promise.allSettled([api.close(), asked, waiting]);

  expect([forAnswer.status, forRequest.status]).toEqual(["rejected", "rejected"]);
});

test("tokens are counted, the root answers, and an unknown path is a 404 that names it", async () => {
  await using api = await startScriptedApi();

  const counted: unknown = await (
    await fetch(`${api.url}/v1/messages/count_tokens`, { method: "POST", body: '{"messages":[]}' })
  ).json();
  const root = await fetch(api.url, { method: "HEAD" });
  const unknown = await fetch(`${api.url}/v1/files`);

  expect([counted, root.status, unknown.status, (await unknown.text()).includes("GET /v1/files")]).toEqual([
    { input_tokens: 4 },
    200,
    404,
    true,
  ]);
});

test("the environment for the CLI names the home, the API and one dummy credential", async () => {
  await using api = await startScriptedApi();

  const { CLAUDE_CODE_OAUTH_TOKEN: token, ANTHROPIC_API_KEY: key, ...rest } = api.environment("/h", "subscription");

  expect({ ...rest, hasToken: token !== undefined, hasKey: key !== undefined }).toEqual({
    HOME: "/h",
    CLAUDE_CONFIG_DIR: "/h/.claude",
    ANTHROPIC_BASE_URL: api.url,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    DISABLE_TELEMETRY: "1",
    DISABLE_ERROR_REPORTING: "1",
    DISABLE_AUTOUPDATER: "1",
    IS_SANDBOX: "1",
    hasToken: true,
    hasKey: false,
  });
});
