import { Command } from "commander";
import type { TaskRecord } from "../../core/task.ts";
import { examples, type Call } from "../call.ts";
import type { CommonFlags } from "../flags.ts";
import { promptOf } from "../prompts.ts";
import { elapsed, usd, wholeNumber } from "../quantities.ts";
import { stateText, taskLine } from "../task-text.ts";
import { oneLine, table } from "../terminal/table.ts";

/** `review`: what waits for a person's word. */
export function reviewCommand(call: Call): Command {
  return new Command("review")
    .summary("list, approve and reject what waits for review")
    .description("Tasks submitted with --review stop until they are approved, or rejected with feedback.")
    .addCommand(listCommand(call), { isDefault: true })
    .addCommand(showCommand(call))
    .addCommand(approveCommand(call))
    .addCommand(rejectCommand(call))
    .addHelpText(
      "after",
      examples(
        "claude-pool review",
        "claude-pool review approve task-3f9c",
        'claude-pool review reject task-3f9c "The timeout case is missing"',
      ),
    );
}

function listCommand(call: Call): Command {
  const command = new Command("list")
    .description("What waits for review, oldest first.")
    .option("--limit <n>", "at most so many", wholeNumber("--limit", 1), 50);
  return call.carryOut<CommonFlags & { readonly limit: number }>(command, (flags) =>
    call.look(flags, async (pool) => {
      const { tasks, next } = await pool.listReviews({ limit: flags.limit });
      if (call.json) for (const task of tasks) await call.out.record(task);
      else if (tasks.length === 0) call.out.say("Nothing waits for review.");
      else {
        const head = ["ID", "REJECTED", "COST", "TIME", "PROMPT"];
        for (const line of table([head, ...tasks.map(row)], { right: [2, 3], width: call.out.columns }))
          await call.out.line(line);
      }
      if (next !== undefined) call.out.say(`There are more than ${String(flags.limit)}: --limit shows more.`);
    }),
  );
}

function showCommand(call: Call): Command {
  const command = new Command("show")
    .description("Show a task's prompt, the answer that waits, and the feedback so far.")
    .argument("<id>", "id of the task, or a unique beginning of it");
  return call.carryOut<CommonFlags>(command, (flags, [id]) =>
    call.look(flags, async (pool) => {
      const task = await pool.get(id as string);
      if (call.json) return call.out.record(task);
      const feedback = task.plan?.feedback ?? [];
      await call.out.line(taskLine(task, call.out.colour));
      await call.out.line(call.out.colour.bold("Prompt"));
      await call.out.line(task.prompt);
      for (const [index, text] of feedback.entries()) {
        await call.out.line(call.out.colour.bold(`Rejection ${String(index + 1)} of ${String(task.maxRejections)}`));
        await call.out.line(text);
      }
      await call.out.line(call.out.colour.bold("Answer"));
      await call.out.line(task.result?.output ?? "");
    }),
  );
}

function approveCommand(call: Call): Command {
  const command = new Command("approve")
    .description("Approve tasks: they are completed, and chains go on.")
    .argument("<ids...>", "ids of tasks, or unique beginnings of them");
  return call.carryOut<CommonFlags>(command, (flags, [ids]) =>
    call.look(flags, async (pool) => {
      for (const id of ids as readonly string[]) await tell(call, await pool.approve(id));
    }),
  );
}

function rejectCommand(call: Call): Command {
  const command = new Command("reject")
    .description("Reject a task: it is done again with all feedback so far, or fails if this was its last rejection.")
    .argument("<id>", "id of the task, or a unique beginning of it")
    .argument("[feedback...]", "what to do better; without it, or with -, read from stdin");
  return call.carryOut<CommonFlags>(command, (flags, [id, words]) =>
    call.look(flags, async (pool) => {
      const feedback = await promptOf(call, words as readonly string[]);
      const task = await pool.reject(id as string, feedback);
      await tell(call, task);
      const left = task.maxRejections - task.rejectionCount;
      if (task.state === "pending") call.out.say(`It is back in the queue; ${String(left)} more would fail it.`);
    }),
  );
}

async function tell(call: Call, task: TaskRecord): Promise<void> {
  if (call.json) return call.out.record(task);
  await call.out.line(`${task.id}  ${stateText(task.state, call.out.colour)}`);
}

function row(task: TaskRecord): readonly string[] {
  const { result } = task;
  return [
    task.id,
    `${String(task.rejectionCount)}/${String(task.maxRejections)}`,
    result === undefined ? "-" : usd(result.costMicrodollars),
    result === undefined ? "-" : elapsed(result.elapsedMs),
    oneLine(task.prompt, 60),
  ];
}
