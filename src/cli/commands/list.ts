import { Command } from "commander";
import { invalidOptions } from "../../core/errors.ts";
import { taskStates, type TaskFilter, type TaskRecord, type TaskState } from "../../core/task.ts";
import { nearest } from "../../schema/nearest.ts";
import { examples, type Call } from "../call.ts";
import type { CommonFlags } from "../flags.ts";
import { duration, wholeNumber } from "../quantities.ts";
import { taskHead, taskRow } from "../task-text.ts";
import { table } from "../terminal/table.ts";
import { changesOf } from "../work-text.ts";

interface Flags extends CommonFlags {
  readonly state?: string;
  readonly tag?: readonly string[];
  readonly kind?: string;
  readonly slot?: string;
  readonly within?: number;
  readonly limit: number;
  readonly after?: number;
  readonly oldest?: boolean;
  readonly all?: boolean;
}

/** `list`: tasks, a page at a time. */
export function listCommand(call: Call): Command {
  const command = new Command("list")
    .summary("list tasks, newest first")
    .description("Lists tasks, newest first; with --json a record a line.")
    .option("--state <states>", `only these: ${taskStates.join(", ")}`)
    .option(
      "--tag <tag>",
      "only tasks with this tag; may be given again",
      (tag, before: readonly string[] | undefined) => [...(before ?? []), tag],
    )
    .option("--kind <kind>", "only these: task (a chain's steps are among them), chain or route")
    .option("--slot <id>", "only tasks of this slot")
    .option("--within <duration>", "only tasks submitted so recently, such as 2h", duration("--within", Infinity))
    .option("--limit <n>", "at most so many", wholeNumber("--limit", 1), 50)
    .option("--after <cursor>", "go on after this one, as the end of a page says", wholeNumber("--after", 0))
    .option("--oldest", "oldest first")
    .option("--all", "every page")
    .addHelpText(
      "after",
      examples("claude-pool list --state pending,running", "claude-pool list --json --all | jq -r .id"),
    );
  return call.carryOut<Flags>(command, (flags) =>
    call.look(flags, async (pool) => {
      const filter = {
        ...filterOf(flags),
        limit: flags.limit,
        order: flags.oldest === true ? "oldest" : "newest",
      } as const;
      let after = flags.after;
      do {
        const page = await pool.list({ ...filter, ...(after === undefined ? {} : { after }) });
        await show(call, page.tasks);
        after = page.next;
      } while (flags.all === true && after !== undefined && !call.out.closed.aborted);
      if (after !== undefined) call.out.say(`There are more: --after ${String(after)}`);
    }),
  );
}

function filterOf(flags: Flags): TaskFilter {
  return {
    ...(flags.state === undefined ? {} : { state: flags.state.split(",").map(stateOf) }),
    ...(flags.tag === undefined ? {} : { tags: flags.tag }),
    ...(flags.kind === undefined ? {} : { kind: kindOf(flags.kind) }),
    ...(flags.slot === undefined ? {} : { slotId: flags.slot }),
    ...(flags.within === undefined ? {} : { sinceMs: Date.now() - flags.within }),
  };
}

function kindOf(text: string): TaskRecord["kind"] {
  const kind = (["task", "chain", "route"] as const).find((known) => known === text);
  if (kind !== undefined) return kind;
  throw invalidOptions(`--kind: expected task, chain or route, got ${JSON.stringify(text)}.`, "--kind");
}

function stateOf(text: string): TaskState {
  const state = taskStates.find((known) => known === text.trim().replace("-", "_"));
  if (state !== undefined) return state;
  const meant = nearest(text, taskStates);
  const hint = meant === undefined ? "" : ` Did you mean ${JSON.stringify(meant)}?`;
  throw invalidOptions(
    `--state: expected some of ${taskStates.join(", ")}, got ${JSON.stringify(text)}.${hint}`,
    "--state",
  );
}

async function show(call: Call, tasks: readonly TaskRecord[]): Promise<void> {
  if (call.json) {
    for (const task of tasks) await call.out.record(task);
    return;
  }
  const isIsolated = tasks.some((task) => task.workspace !== undefined);
  const wide = (cells: readonly string[], changed: string): readonly string[] =>
    isIsolated ? [...cells.slice(0, -1), changed, ...cells.slice(-1)] : cells;
  const rows = tasks.map((task) => wide(taskRow(task, call.out.colour), changesOf(task)));
  if (rows.length === 0) call.out.say("No tasks.");
  const head = wide(taskHead, "CHANGES");
  for (const line of rows.length === 0 ? [] : table([head, ...rows], { right: [2, 3], width: call.out.columns })) {
    await call.out.line(line);
  }
}
