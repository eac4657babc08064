import { Command } from "commander";
import type { SessionMetrics } from "../../core/metrics.ts";
import { defined } from "../../core/config.ts";
import type { MetricsFilter } from "../../core/metrics.ts";
import { examples, type Call } from "../call.ts";
import { collected } from "../collected.ts";
import type { CommonFlags } from "../flags.ts";
import { elapsed, pointInTime, usd } from "../quantities.ts";
import { table } from "../terminal/table.ts";

interface Flags extends CommonFlags {
  readonly since?: number;
  readonly until?: number;
  readonly tag?: readonly string[];
  readonly model?: string;
}

/** `metrics`: what tasks cost and took. */
export function metricsCommand(call: Call): Command {
  const command = new Command("metrics")
    .summary("show what tasks cost and took")
    .description(
      "Counts, costs and times of the tasks that ended, in the pool's whole life or of those that the filters name;\n" +
        "what was spent on attempts that were rejected or tried again; and what held the queue back.",
    )
    .option("--since <when>", "tasks created since then: 2d (ago), or a date", pointInTime("--since"))
    .option("--until <when>", "tasks created until then", pointInTime("--until"))
    .option("--tag <tag>", "tasks with this tag; may be given again", collected)
    .option("--model <name>", "tasks that this model answered, by its full name")
    .addHelpText(
      "after",
      examples("claude-pool metrics", "claude-pool metrics --since 1d --tag nightly", "claude-pool metrics --json"),
    );
  return call.carryOut<Flags>(command, (flags) =>
    call.look(flags, async (pool) => {
      const { since, until, tag, model } = flags;
      const filter = defined<MetricsFilter>({ sinceMs: since ?? 0, untilMs: until, tags: tag, model });
      const metrics = await pool.sessionMetrics(filter);
      if (call.json) {
        await call.out.record(metrics);
        return;
      }
      for (const line of table(figures(metrics))) await call.out.line(line);
      for (const line of table(models(metrics), { right: [1, 2, 3, 4] })) await call.out.line(line);
    }),
  );
}

function figures(of: SessionMetrics): readonly (readonly string[])[] {
  const held = of.heldBack.map(({ reason, times, totalMs }) => `${reason} ${String(times)}×, ${elapsed(totalMs)}`);
  return [
    [
      "ended",
      `${String(of.completedTasks)} completed, ${String(of.failedTasks)} failed, ${String(of.cancelledTasks)} cancelled`,
    ],
    [
      "open",
      `${String(of.runningTasks)} running, ${String(of.pendingTasks)} pending, ${String(of.pendingReviewTasks)} in review`,
    ],
    [
      "cost",
      `${usd(of.totalCostMicrodollars)}, a task ${usd(of.avgCostMicrodollars)}, at most ${usd(of.maxCostMicrodollars)}`,
    ],
    ["a completed task", `${usd(of.costPerCompletedMicrodollars)}, all attempts and failures included`],
    [
      "for nothing",
      `${usd(of.rejectedCostMicrodollars)} on rejected attempts, ${usd(of.retriedCostMicrodollars)} on those tried again`,
    ],
    ...(of.routingCostMicrodollars === 0 ? [] : [["routing", usd(of.routingCostMicrodollars)]]),
    [
      "time",
      `median ${elapsed(of.medianElapsedMs)}, mean ${elapsed(of.avgElapsedMs)}, ${elapsed(of.minElapsedMs)} to ${elapsed(of.maxElapsedMs)}`,
    ],
    ["turns", `${String(of.avgTurns)} a task`],
    ["held back", held.length === 0 ? "never" : held.join("; ")],
  ];
}

function models(of: SessionMetrics): readonly (readonly string[])[] {
  if (of.modelBreakdown.length === 0) return [];
  return [
    ["MODEL", "TASKS", "COST", "A TASK", "TIME"],
    ...of.modelBreakdown.map((one) => [
      one.model,
      String(one.taskCount),
      usd(one.totalCostMicrodollars),
      usd(one.avgCostMicrodollars),
      elapsed(one.avgElapsedMs),
    ]),
  ];
}
