/** The pool as a whole: how it stands, what it cost, how it is shut. */
import { z } from "zod";
import { PoolError } from "../../core/errors.ts";
import { permissionModes } from "../../core/task.ts";
import type { MetricsFilter } from "../../core/metrics.ts";
import { words } from "../../schema/answer.ts";
import { drainAnswer, metricsAnswer, statusAnswer } from "../../schema/answers-pool.ts";
import { drainSchema } from "../../schema/calls.ts";
import { filterSchema } from "../../schema/parse-governing.ts";
import { text } from "../../schema/values.ts";
import { cutFields } from "../bounded.ts";
import { defaultMode } from "../default-mode.ts";
import { tool, type Tool } from "../tool.ts";
import { version } from "../version.ts";
import { within } from "../within.ts";
import { slotInShort, slotShape } from "./slots.ts";

export const poolTools: readonly Tool[] = [
  tool({
    name: "pool_status",
    title: "Status of the pool",
    description: "Counts of tasks and slots, money, what holds the queue back.",
    effect: "reads",
    isCore: true,
    input: z.strictObject({}),
    output: statusAnswer.extend({
      server_version: words,
      model: words.optional(),
      permission_mode: z.enum(permissionModes),
      slots: z.array(slotShape),
      ...cutFields,
    }),
    run: async (_, { pool }) => {
      const [status, slots] = await Promise.all([pool.status(), pool.findSlots()]);
      const { model } = pool.config();
      return {
        ...status,
        serverVersion: version,
        ...(model === undefined ? {} : { model }),
        permissionMode: defaultMode(pool.config()),
        slots: slots.map(slotInShort),
      };
    },
  }),
  tool({
    name: "pool_session_metrics",
    title: "What the work cost and took",
    description: "Costs, times and turns by model: since the pool was opened, or of the tasks that the filter names.",
    effect: "reads",
    input: filterSchema.extend({ tag: text("a tag", 200).optional().describe("one of `tags`") }),
    output: metricsAnswer.extend(cutFields),
    run: async ({ tag, tags, ...filter }, { pool }) => {
      const all = [...(tags ?? []), ...(tag === undefined ? [] : [tag])];
      return pool.sessionMetrics({ ...(filter as MetricsFilter), ...(all.length === 0 ? {} : { tags: all }) });
    },
  }),
  tool({
    name: "pool_drain",
    title: "Shut the pool",
    description:
      "Refuses new work, cancels what is pending, lets what runs end within the grace; only when all is done.",
    effect: "removes",
    input: drainSchema,
    output: drainAnswer.extend(cutFields),
    run: async (options, { pool, answerWithinMs }) => {
      const summary = await within(answerWithinMs, pool.drain(options as Parameters<typeof pool.drain>[0]));
      if (summary !== undefined) return summary;
      throw new PoolError("wait_timeout", "The pool is draining, and what runs has not ended yet; it goes on.");
    },
  }),
];
