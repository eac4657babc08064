/** The original's main use: the real CLI as coordinator, with the pool as its MCP server, and real CLIs as its workers. */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { text, toolUse, type LoggedRequest, type Reply } from "../../src/testing/index.ts";
import { programArgs } from "../mcp/program.ts";
import { claudeProgram } from "../testing/real-claude.ts";
import { beginRepository } from "../git-repository.ts";
import { place, processesNaming, realPool, type Place } from "./real-pool.ts";

type Fields = Readonly<Record<string, unknown>>;

/** What the coordinator's last tool answered. */
function lastAnswer(request: LoggedRequest): Fields {
  const { messages } = request.body as { readonly messages: readonly { readonly content: unknown }[] };
  const blocks = messages.flatMap(({ content }) => (Array.isArray(content) ? (content as readonly Fields[]) : []));
  const { content } = blocks.findLast((block) => block.type === "tool_result") ?? {};
  const parts = Array.isArray(content)
    ? (content as readonly { readonly text?: string }[])
    : [{ text: String(content) }];
  const said = parts.map((part) => part.text ?? "").join("");
  // The CLI may add notes of its own below; the answer is one line.
  return JSON.parse(said.split("\n")[0] ?? "") as Fields;
}

/** The coordinator's next call, made of the answer to the last. */
function next(tool: string, input: (answer: Fields) => Fields): Reply {
  return (request) => toolUse(`mcp__pool__${tool}`, input(lastAnswer(request)));
}

/** `claude -p` in the place's folder, with the pool's own program as its one MCP server. */
async function coordinate(here: Place, prompt: string): Promise<Fields> {
  const home = join(here.root, "coordinator");
  mkdirSync(home);
  const config = join(here.root, "mcp.json");
  const slotEnvironment = { ...here.api.environment(join(here.root, "home")), PATH: process.env.PATH ?? "" };
  const server = programArgs("mcp", "--store", here.store, "--permission-mode", "acceptEdits", "--profile", "core");
  writeFileSync(config, JSON.stringify({ mcpServers: { pool: { ...server, env: slotEnvironment } } }));
  const args = ["-p", prompt, "--output-format", "json", "--model", "claude-sonnet-4-5"];
  const running = promisify(execFile)(
    claudeProgram(),
    [...args, "--mcp-config", config, "--strict-mcp-config", "--allowedTools", "mcp__pool"],
    { cwd: here.work, env: { PATH: process.env.PATH, ...here.api.environment(home) } },
  );
  running.child.stdin?.end();
  const { stdout } = await running.catch((error: unknown) => error as { readonly stdout: string }); // a failure is told in JSON too
  return JSON.parse(stdout) as Fields;
}

test("the real CLI fans work out, has a task reviewed and approves it, and its workers are real CLIs", async () => {
  const here = await place();
  const [left, right, report] = ["left.txt", "right.txt", "report.txt"].map((name) => join(here.work, name)) as [
    string,
    string,
    string,
  ];
  let reviewed = "";
  const write = (file: string, content: string): Reply => toolUse("Write", { file_path: file, content });
  here.api
    .on("write the left half", write(left, "L"), text("left is written"))
    .on("write the right half", write(right, "R"), text("right is written"))
    .on("write the report", write(report, "LR"), text("the report is written"))
    .on(
      "coordinate the work",
      toolUse("mcp__pool__pool_fan_out", { prompts: ["write the left half", "write the right half"] }),
      next("pool_submit_with_review", (fanOut) => ({
        prompt: `write the report (${String((fanOut.results as []).length)} halves)`,
      })),
      next("pool_wait", ({ task_id: id }) => ({ task_ids: [(reviewed = String(id))] })),
      next("pool_approve_result", ({ done }) => ({ task_id: (done as readonly Fields[])[0]?.task_id })),
      next("pool_wait", ({ task_id: id }) => ({ task_ids: [id], mode: "any", timeout_ms: 0 })),
      (request) =>
        text(`approved: ${JSON.stringify((lastAnswer(request).done as readonly Fields[]).map((one) => one.state))}`),
    );

  const answer = await coordinate(here, "coordinate the work");

  const pool = await realPool(here, { slots: 0 });
  const { tasks } = await pool.list({ order: "oldest" });
  const events = await Array.fromAsync(pool.events({ after: 0, follow: false, taskId: reviewed }));
  expect({
    answer: [answer.is_error, answer.result],
    files: [left, right, report].map((file) => existsSync(file) && readFileSync(file, "utf8")),
    tasks: tasks.map((task) => [task.state, task.result?.output, task.reviewRequired]),
    reviewed: events.map((event) => event.type).filter((type) => type === "task.approved"),
    paid: (await pool.status()).totalSpendMicrodollars,
    hosts: (await pool.hosts()).length,
    left: processesNaming(here.root),
  }).toEqual({
    answer: [false, 'approved: ["completed"]'],
    files: ["L", "R", "LR"],
    tasks: [
      ["completed", "left is written", false],
      ["completed", "right is written", false],
      ["completed", "the report is written", true],
    ],
    reviewed: ["task.approved"],
    paid: tasks.reduce((sum, task) => sum + (task.result?.costMicrodollars ?? 0), 0),
    hosts: 0,
    left: [],
  });
});

test("the real CLI has work done in a worktree, reads its diff and its checks, and merges it", async () => {
  const here = await place();
  const git = beginRepository(here.work, { "list.txt": "one\n" });
  let seen: Fields = {};
  here.api.on("add a line", toolUse("Bash", { command: "echo two >> list.txt" }), text("added")).on(
    "coordinate the merge",
    toolUse("mcp__pool__pool_submit_with_review", {
      prompt: "add a line",
      isolation: "worktree",
      allowed_tools: ["Bash"],
      checks: ["grep -q two list.txt"],
    }),
    next("pool_wait", ({ task_id: id }) => ({ task_ids: [id] })),
    next("pool_diff", ({ done }) => {
      const [task] = done as readonly Fields[];
      seen = { changes: task?.changes, checks: (task?.checks as readonly Fields[]).map(({ passed }) => passed) };
      return { task_id: task?.task_id, patch: true };
    }),
    next("pool_merge", ({ task_id: id, patch }) => {
      seen = { ...seen, patch: String(patch).includes("+two") };
      return { task_id: id, method: "squash" };
    }),
    (request) => text(`${String((lastAnswer(request).merge as Fields).state)}: ${String(lastAnswer(request).state)}`),
  );

  const answer = await coordinate(here, "coordinate the merge");

  expect({
    answer: [answer.is_error, answer.result],
    seen,
    file: readFileSync(join(here.work, "list.txt"), "utf8"),
    log: git("log", "--format=%s").trim().split("\n").length,
    status: git("status", "--porcelain"),
    left: processesNaming(here.root),
  }).toEqual({
    answer: [false, "merged: completed"],
    seen: {
      changes: { files: 1, insertions: 1, deletions: 0, branch: expect.stringContaining("task-") as unknown },
      checks: [true],
      patch: true,
    },
    file: "one\ntwo\n",
    log: 2,
    status: "",
    left: [],
  });
});
