/** The demo: its tasks on a pool of four slots, told as they go, and what became of them. */
import type { TaskRecord } from "../../core/task.ts";
import { openPool } from "../../open-pool.ts";
import type { Pool } from "../../pool.ts";
import type { Call } from "../call.ts";
import type { ExitCode } from "../exit.ts";
import { elapsed, usd } from "../quantities.ts";
import { stateText, why } from "../task-text.ts";
import { Progress } from "../terminal/progress.ts";
import { oneLine, table } from "../terminal/table.ts";
import { tasks, type DemoTask } from "./script.ts";
import { buildStage, type Stage } from "./stage.ts";

/** Performs it; `keep` leaves its folder. */
export async function performDemo(call: Call, keep: boolean): Promise<ExitCode> {
  const startedMs = Date.now();
  await using stage = await buildStage(keep);
  call.out.say(`Eight tasks for four slots, in ${stage.repository}`);
  const records = await perform(call, stage, startedMs);
  if (records === undefined) return 130;
  await show(call, records, stage);
  if (keep) call.out.say(`Kept: ${stage.folder}`);
  return verdict(call, records, Date.now() - startedMs);
}

/** The records of the tasks in their order; undefined: interrupted. */
async function perform(call: Call, stage: Stage, startedMs: number): Promise<readonly TaskRecord[] | undefined> {
  const { repository: cwd, store, environment: env } = stage;
  await using pool = await openPool({ slots: 4, cwd, store, env, permissionMode: "acceptEdits", ...claudeOf(call) });
  const progress = new Progress(call.out.talk);
  const interrupted = new AbortController();
  const unhook = call.io.onInterrupt(() => interrupted.abort());
  try {
    const submitted = await pool.submitMany(tasks.map((task) => task.spec));
    const ids = submitted.map((task) => task.id);
    const watching = watch(call, pool, ids, { progress, startedMs, signal: interrupted.signal });
    await Promise.race([watching, ended(interrupted.signal)]);
    return interrupted.signal.aborted ? undefined : await Promise.all(ids.map((id) => pool.get(id)));
  } finally {
    interrupted.abort();
    unhook();
    progress.end();
  }
}

/** Tells what happens, cancels what the script says, and returns when every task has ended. */
async function watch(
  call: Call,
  pool: Pool,
  ids: readonly string[],
  show: { readonly progress: Progress; readonly startedMs: number; readonly signal: AbortSignal },
): Promise<void> {
  let done = 0;
  let spent = 0;
  show.progress.begin(
    () => `${String(done)}/${String(ids.length)} done · ${usd(spent)} · ${elapsed(Date.now() - show.startedMs)}`,
  );
  for await (const event of pool.events({ after: 0, signal: show.signal })) {
    const index = ids.indexOf(event.taskId ?? "");
    const task = tasks[index];
    if (task === undefined) continue;
    const name = call.out.talkColour.bold(oneLine(task.spec.prompt, 60));
    if (event.type === "task.started") show.progress.note(`${event.slotId ?? ""}  ${name}`);
    if (event.type === "task.tool") {
      show.progress.note(`${event.slotId ?? ""}    ${event.data.tool} ${oneLine(event.data.summary ?? "", 80)}`);
      if (task.cancel === true) await pool.cancel(ids[index] ?? "");
    }
    if (event.type !== "task.finished") continue;
    done += 1;
    spent += event.data.costMicrodollars;
    show.progress.note(`${event.slotId ?? ""}  ${name}: ${stateText(event.data.state, call.out.talkColour)}`);
    if (done === ids.length) return;
  }
}

async function show(call: Call, records: readonly TaskRecord[], stage: Stage): Promise<void> {
  if (call.json) {
    for (const record of records) await call.out.record(record);
    return;
  }
  const rows = records.map((record) => [
    oneLine(record.prompt, 40),
    stateText(record.state, call.out.colour),
    record.result === undefined ? "-" : usd(record.result.costMicrodollars),
    record.result === undefined ? "-" : elapsed(record.result.elapsedMs),
    oneLine(why(record) || (record.result?.output ?? ""), 70),
  ]);
  await call.out.line("");
  const head = ["TASK", "STATE", "COST", "TIME", "RESULT"];
  for (const line of table([head, ...rows], { right: [2, 3], width: call.out.columns })) await call.out.line(line);
  await call.out.line(`\nWhat the tasks changed, by git status:\n${stage.changes()}`);
}

/** The demo shows nothing if it did not go as it is told here. */
function verdict(call: Call, records: readonly TaskRecord[], tookMs: number): ExitCode {
  const wrong = records.filter((record, index) => record.state !== tasks[index]?.expected);
  for (const record of wrong)
    call.out.say(`${record.prompt}: expected ${expected(record)}, but it ${record.state}. ${why(record)}`);
  if (wrong.length === 0) {
    call.out.say(
      `\nDone in ${elapsed(tookMs)}; everything it made is removed. With your own login, the same way:\n` +
        '  npx claude-pool run --permission-mode acceptEdits "Fix the failing test"',
    );
  }
  return wrong.length === 0 ? 0 : 1;
}

function expected(record: TaskRecord): string {
  return tasks.find((task: DemoTask) => task.spec.prompt === record.prompt)?.expected ?? "?";
}

/** The user's own Claude program, if one is named: the demo is about that one too. */
function claudeOf(call: Call): { readonly claude?: string } {
  const claude = call.io.env.CLAUDE_POOL_CLAUDE;
  return claude === undefined || claude === "" ? {} : { claude };
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
