import { Command } from "commander";
import type { MergeListOptions, MergeOptions } from "../../core/api.ts";
import { defined } from "../../core/config.ts";
import { invalidOptions } from "../../core/errors.ts";
import { mergeStates, type MergeRecord, type MergeState } from "../../core/merge.ts";
import { examples, type Call } from "../call.ts";
import type { ExitCode } from "../exit.ts";
import type { CommonFlags } from "../flags.ts";
import { landing, mergeFlags, mergeOptionsOf, type MergeFlags } from "../landing.ts";
import { moment, wholeNumber } from "../quantities.ts";
import { table } from "../terminal/table.ts";
import { checkLines, filesText, isOpen, mergeText, queuedHint } from "../work-text.ts";

/** `merge`: accepted work into its branch. */
export function mergeCommand(call: Call): Command {
  return new Command("merge")
    .summary("merge what tasks did, and look at the merge queue")
    .description(
      "Merges the saved work of tasks, one at a time for each branch: onto what the branch has become, checked there, and only " +
        "then moved. Conflicts change nothing. `claude-pool merge ID` is short for `claude-pool merge run ID`.",
    )
    .addCommand(runCommand(call), { isDefault: true })
    .addCommand(listCommand(call))
    .addCommand(showCommand(call))
    .addCommand(cancelCommand(call))
    .addCommand(undoCommand(call))
    .addHelpText(
      "after",
      examples(
        "claude-pool merge task-3f9c",
        "claude-pool merge --dry-run task-3f9c",
        "claude-pool merge --dry-run --with task-81ab task-3f9c",
        "claude-pool merge --into release --method squash task-3f9c",
        "claude-pool merge list",
      ),
    );
}

interface RunFlags extends CommonFlags, MergeFlags {
  readonly dryRun?: boolean;
  readonly with?: string;
  readonly wait?: boolean;
}

function runCommand(call: Call): Command {
  const command = mergeFlags(
    new Command("run")
      .description(
        "Merge the work of completed tasks, one after the other; one in review is approved by it. Exit 1 if any did not land.",
      )
      .argument("<ids...>", "ids of tasks, or unique beginnings of them"),
  )
    .option("--dry-run", "only say which files would conflict; exit 1 if any would")
    .option("--with <task>", "with --dry-run: compare with the work of this task, which may still be at it")
    .option("--no-wait", "only put it into the queue: a host carries it out")
    .addHelpText("after", examples("claude-pool merge task-3f9c task-81ab", "claude-pool merge --dry-run task-3f9c"));
  return call.carryOut<RunFlags>(command, async (flags, [given]) => {
    const ids = given as readonly string[];
    if (flags.with !== undefined && flags.dryRun !== true) {
      throw invalidOptions("--with compares two tasks, which only --dry-run does.", "--with");
    }
    return call.look(flags, async (pool) => {
      let exit: ExitCode = 0;
      const wait = defined<MergeOptions>({ wait: flags.wait });
      for (const id of ids) {
        const isFine =
          flags.dryRun === true
            ? await preview(call, await pool.previewMerge(id, defined({ into: flags.into, with: flags.with })))
            : await tell(
                call,
                await landing(call, pool, (signal) => pool.merge(id, { ...mergeOptionsOf(flags), ...wait, signal })),
              );
        if (!isFine) exit = 1;
      }
      return exit;
    });
  });
}

async function preview(
  call: Call,
  found: { readonly taskId: string; readonly with: string; readonly conflicts: readonly string[] },
): Promise<boolean> {
  const { taskId, with: other, conflicts } = found;
  const isFine = conflicts.length === 0;
  if (call.json) await call.out.record(found);
  else {
    const text = isFine ? `merges cleanly with ${other}` : `conflicts with ${other}: ${filesText(conflicts)}`;
    await call.out.line(`${taskId}  ${isFine ? call.out.colour.green(text) : call.out.colour.red(text)}`);
  }
  return isFine;
}

/** The merge, and what can be done about one that did not land; false for that. */
async function tell(call: Call, merge: MergeRecord): Promise<boolean> {
  if (call.json) await call.out.record(merge);
  else await call.out.line(`${merge.taskId}  ${mergeText(merge, call.out.colour)}`);
  if (merge.state === "merged") {
    call.out.say(`Take it back with: claude-pool merge undo ${merge.id}`);
    return true;
  }
  if (isOpen(merge)) {
    call.out.say(queuedHint(merge));
    return true;
  }
  for (const line of checkLines(merge.checks ?? [], call.out.talkColour)) call.out.say(line);
  call.out.say(
    `${merge.target} has not changed, and the work is saved: claude-pool worktree restore ${merge.taskId}; ` +
      `claude-pool merge show ${merge.id}`,
  );
  return false;
}

function listCommand(call: Call): Command {
  const command = new Command("list")
    .description("Merges, newest first: what waits, what is under way, and how the others ended.")
    .option("--state <states>", `only these: ${mergeStates.join(", ")}`)
    .option("--task <id>", "only those of this task")
    .option("--limit <n>", "at most so many", wholeNumber("--limit", 1), 50)
    .addHelpText("after", examples("claude-pool merge list --state queued,merging"));
  return call.carryOut<CommonFlags & { readonly state?: string; readonly task?: string; readonly limit: number }>(
    command,
    (flags) =>
      call.look(flags, async (pool) => {
        const state = flags.state?.split(",").map((one) => one.trim().replace("-", "_") as MergeState);
        const merges = await pool.merges.list(
          defined<MergeListOptions>({ state, taskId: flags.task, limit: flags.limit }),
        );
        if (call.json) for (const merge of merges) await call.out.record(merge);
        else if (merges.length === 0) call.out.say("No merges.");
        else {
          const rows = merges.map((merge) => [merge.id, merge.taskId, mergeText(merge, call.out.colour)]);
          for (const line of table([["ID", "TASK", "WHAT"], ...rows], { width: call.out.columns }))
            await call.out.line(line);
        }
      }),
  );
}

function showCommand(call: Call): Command {
  const command = new Command("show")
    .description("Show a merge: where the branch stood, what conflicted, and what the checks said of the result.")
    .argument("<merge>", "id of the merge");
  return call.carryOut<CommonFlags>(command, (flags, [id]) =>
    call.look(flags, async (pool) => {
      const merge = await pool.merges.show(id as string);
      if (call.json) return call.out.record(merge);
      const lines = [
        ["merge", `${merge.id} of ${merge.taskId}, by ${merge.method}`],
        ["asked", moment(merge.requestedAtMs)],
        ["state", mergeText(merge, call.out.colour)],
        ...(merge.before === undefined ? [] : [["before", `${merge.target} stood at ${merge.before}`]]),
        ...(merge.conflicts ?? []).map((file) => ["conflict", filesText([file])]),
        ...checkLines(merge.checks ?? [], call.out.colour).map((line) => ["check", line]),
      ];
      for (const line of table(lines)) await call.out.line(line);
    }),
  );
}

function cancelCommand(call: Call): Command {
  const command = new Command("cancel")
    .description(
      "Take merges out of the queue; a task that waited for one waits for a reviewer. Not one under way: exit 4.",
    )
    .argument("<merges...>", "ids of merges");
  return call.carryOut<CommonFlags>(command, (flags, [ids]) =>
    call.look(flags, async (pool) => {
      for (const id of ids as readonly string[]) await show(call, await pool.merges.cancel(id));
    }),
  );
}

function undoCommand(call: Call): Command {
  const command = new Command("undo")
    .description("Take back a merge that has landed: its branch goes back to where it stood, if nothing came after it.")
    .argument("<merge>", "id of the merge")
    .addHelpText("after", examples("claude-pool merge undo $(claude-pool merge list --json --limit 1 | jq -r .id)"));
  return call.carryOut<CommonFlags>(command, (flags, [id]) =>
    call.look(flags, async (pool) => show(call, await pool.merges.undo(id as string))),
  );
}

async function show(call: Call, merge: MergeRecord): Promise<void> {
  if (call.json) return call.out.record(merge);
  await call.out.line(`${merge.id}  ${merge.taskId}  ${mergeText(merge, call.out.colour)}`);
}
