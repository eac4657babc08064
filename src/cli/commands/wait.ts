import { Command } from "commander";
import type { WaitOptions } from "../../core/api.ts";
import { defined } from "../../core/config.ts";
import { PoolError } from "../../core/errors.ts";
import { examples, type Call } from "../call.ts";
import { exitOfTasks } from "../exit.ts";
import type { CommonFlags } from "../flags.ts";
import { tellingHeldBack } from "../held-back.ts";
import { interrupted } from "../interrupted.ts";
import { counted, duration, elapsed } from "../quantities.ts";
import { taskLine } from "../task-text.ts";
import { Progress } from "../terminal/progress.ts";

type Flags = CommonFlags & { readonly any?: boolean; readonly timeout?: number };

/** `wait`: until tasks have ended. */
export function waitCommand(call: Call): Command {
  const command = new Command("wait")
    .summary("wait until tasks have ended")
    .description(
      "Waits until every task named (with --any: one of them) has ended, and prints it. Ctrl-C ends the wait; the tasks go on.",
    )
    .argument("<ids...>", "ids of tasks, or unique beginnings of them")
    .option("--any", "wait for the first of them")
    .option("--timeout <duration>", "wait no longer than this, such as 10m", duration("--timeout"))
    .addHelpText(
      "after",
      examples("claude-pool wait task-3f9c", "claude-pool wait --any --timeout 10m task-3f9c task-81ab"),
    );
  return call.carryOut<Flags>(command, (flags, [given]) =>
    call.look(flags, async (pool) => {
      const records = await Promise.all((given as readonly string[]).map((id) => pool.get(id)));
      const { signal, end } = interrupted(call);
      const progress = new Progress(call.out.talk);
      const startedMs = Date.now();
      progress.begin(() => `waiting for ${counted(records.length, "task")} · ${elapsed(Date.now() - startedMs)}`);
      try {
        const ids = records.map((record) => record.id);
        const options = defined<WaitOptions>({
          mode: flags.any === true ? "any" : "all",
          signal,
          timeoutMs: flags.timeout,
        });
        const answer = await tellingHeldBack(pool, progress.note.bind(progress), () => pool.wait(ids, options));
        progress.end();
        const done = await Promise.all(answer.done.map(({ taskId }) => pool.get(taskId)));
        for (const record of done) {
          await (call.json ? call.out.record(record) : call.out.line(taskLine(record, call.out.colour)));
        }
        if (!answer.timedOut) return exitOfTasks(done);
      } finally {
        progress.end();
        end();
      }
      const text = "The time is over before the tasks are; they go on. Wait again, or `claude-pool cancel` them.";
      throw new PoolError("wait_timeout", text);
    }),
  );
}
