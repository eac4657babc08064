/** What the demo's tasks are, and what its loopback model answers to them. The tools are real: the CLI runs them. */
import { join } from "node:path";
import type { TaskSpec, TaskState } from "../../core/task.ts";
import { text, toolUse, type Reply, type ScriptedApi } from "../../testing/index.ts";

/** The files that the demo's repository begins with. */
export const files: Readonly<Record<string, string>> = {
  "README.md": "# Greeter\n\nSays hello.\n",
  "src/greet.js": 'export function greet(name) {\n  return "Helo, " + name;\n}\n',
  "src/count.js": "export const count = (list) => list.length;\n",
  "server.log": "started\n",
};

export interface DemoTask {
  readonly spec: TaskSpec;
  /** How it must end for the demo to have worked. */
  readonly expected: TaskState;
  /** Cancelled as soon as its tool runs. */
  readonly cancel?: boolean;
  readonly replies: (repository: string) => readonly [Reply, ...Reply[]];
}

/** A call of a large model with a full context: what makes a cap bite. */
const expensive = { usage: { inputTokens: 60_000, outputTokens: 4_000 } };

const pause = { delayMs: 400, chunks: 4, chunkDelayMs: 60 };

export const tasks: readonly DemoTask[] = [
  {
    spec: { prompt: "Summarise README.md", tags: ["docs"] },
    expected: "completed",
    replies: (dir) => [
      toolUse("Read", { file_path: join(dir, "README.md") }),
      text("It is a library that says hello.", pause),
    ],
  },
  {
    spec: { prompt: "Correct the typo in src/greet.js", tags: ["code"], priority: 5 },
    expected: "completed",
    replies: (dir) => [
      toolUse("Read", { file_path: join(dir, "src/greet.js") }),
      toolUse("Edit", { file_path: join(dir, "src/greet.js"), old_string: "Helo", new_string: "Hello" }),
      text('"Helo" is "Hello" now.', pause),
    ],
  },
  {
    spec: { prompt: "Write a test for count()", tags: ["code"] },
    expected: "completed",
    replies: (dir) => [
      toolUse("Read", { file_path: join(dir, "src/count.js") }),
      toolUse("Write", {
        file_path: join(dir, "test/count.test.js"),
        content: 'import { count } from "../src/count.js";\nconsole.assert(count([1, 2]) === 2);\n',
      }),
      text("test/count.test.js checks two elements.", pause),
    ],
  },
  {
    spec: { prompt: "Watch server.log until it says ready", allowedTools: ["Bash(tail:*)"] },
    expected: "cancelled",
    cancel: true,
    replies: (dir) => [toolUse("Bash", { command: `tail -f ${join(dir, "server.log")}` }), text("It never did.")],
  },
  {
    spec: { prompt: "Read every file again and again", maxBudgetUsd: 0.2 },
    expected: "failed",
    replies: (dir) => [toolUse("Read", { file_path: join(dir, "README.md") }, expensive)],
  },
  {
    spec: { prompt: "Publish the package" },
    expected: "failed",
    replies: () => [toolUse("Bash", { command: "npm publish" }), text("I was not allowed to publish.", pause)],
  },
  {
    spec: { prompt: "Count the lines of the sources", allowedTools: ["Bash(wc:*)"] },
    expected: "completed",
    replies: (dir) => [
      toolUse("Bash", { command: `wc -l ${join(dir, "src")}/*.js` }),
      text("Four lines in two files.", pause),
    ],
  },
  {
    spec: { prompt: "Write a changelog", tags: ["docs"] },
    expected: "completed",
    replies: (dir) => [
      toolUse("Write", {
        file_path: join(dir, "CHANGELOG.md"),
        content: "# Changelog\n\n- Says hello without a typo.\n",
      }),
      text("CHANGELOG.md has its first entry.", pause),
    ],
  },
];

/** Teaches the model its part. */
export function script(api: ScriptedApi, repository: string): void {
  for (const task of tasks) api.on(task.spec.prompt, ...task.replies(repository));
}
