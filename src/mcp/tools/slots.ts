/** Slots: find, set up, claim for, scale. */
import { z } from "zod";
import type { SlotConfig, SlotRecord } from "../../core/task.ts";
import { slotStates } from "../../core/task.ts";
import { answer, count, money, words, yes } from "../../schema/answer.ts";
import { taskState } from "../../schema/answers-task.ts";
import { slotFilterSchema } from "../../schema/calls.ts";
import { slotConfigSchema } from "../../schema/fields.ts";
import { text, wholeAtLeast } from "../../schema/values.ts";
import { cutFields } from "../bounded.ts";
import { tool, type Tool } from "../tool.ts";

const slotId = text("the id of a slot", 200);

/** A slot in short; the resource pool://slots/{id} has all of it. */
export const slotShape = answer({
  id: words,
  state: z.enum(slotStates),
  name: words.optional(),
  role: words.optional(),
  description: words.optional(),
  model: words.optional(),
  currentTask: words.optional(),
  tasksCompleted: count,
  costMicrodollars: money,
  error: words.optional(),
});

const scaled = answer({ success: yes, newSlotCount: count, details: words });

export const slotTools: readonly Tool[] = [
  tool({
    name: "pool_find_slots",
    title: "Find slots",
    description: "Slots by name, role or state, with what they are at.",
    effect: "reads",
    input: slotFilterSchema,
    output: z.strictObject({ slots: z.array(slotShape), count, ...cutFields }),
    run: async (filter, { pool }) => {
      const slots = await pool.findSlots(filter as Parameters<typeof pool.findSlots>[0]);
      return { slots: slots.map(slotInShort), count: slots.length };
    },
  }),
  tool({
    name: "pool_configure_slot",
    title: "Set up a slot",
    description: "Changes a slot's settings (name, role, description, model …) from its next task on; the rest stays.",
    effect: "changes",
    input: z.strictObject({ slotId, ...slotConfigSchema.shape }),
    output: slotShape.extend(cutFields),
    run: async ({ slotId: id, ...config }, { pool }) => slotInShort(await pool.configureSlot(id, config as SlotConfig)),
  }),
  tool({
    name: "pool_claim",
    title: "Claim a task for a slot",
    description: "Makes a slot with `pull` take the next pending task that it can.",
    effect: "work",
    input: z.strictObject({ slotId }),
    output: answer({ claimed: yes, taskId: words.optional(), state: taskState.optional(), reason: words.optional() }),
    run: async ({ slotId: id }, { pool }) => {
      const taskId = await pool.claim(id);
      if (taskId === undefined) return { claimed: false, reason: "Nothing waits that this slot could take." };
      const { state } = await pool.get(taskId);
      return { claimed: true, taskId, state };
    },
  }),
  tool({
    name: "pool_scale_up",
    title: "Add slots",
    description: "Adds so many slots.",
    effect: "adds",
    input: z.strictObject({ count: wholeAtLeast(1) }),
    output: scaled,
    run: async ({ count: more }, { pool }) => scaledTo(await pool.scaleUp(more)),
  }),
  tool({
    name: "pool_scale_down",
    title: "Take slots away",
    description: "Takes so many slots away: idle ones first, a busy one when its task has ended.",
    effect: "removes",
    input: z.strictObject({ count: wholeAtLeast(1) }),
    output: scaled,
    run: async ({ count: fewer }, { pool }) => scaledTo(await pool.scaleDown(fewer)),
  }),
  tool({
    name: "pool_set_target_slots",
    title: "Set the number of slots",
    description: "Adds or takes away slots until there are so many.",
    effect: "changes",
    input: z.strictObject({ target: wholeAtLeast(0) }),
    output: scaled.extend({ target: count }),
    run: async ({ target }, { pool }) => ({ ...scaledTo(await pool.setTargetSlots(target)), target }),
  }),
];

export function slotInShort({
  id,
  state,
  config,
  currentTask,
  tasksCompleted,
  costMicrodollars,
  error,
}: SlotRecord): object {
  const { name, role, description, model } = config;
  return { id, state, name, role, description, model, currentTask, tasksCompleted, costMicrodollars, error };
}

function scaledTo(slots: number): object {
  return { success: true, newSlotCount: slots, details: `The host was asked for ${String(slots)} slots.` };
}
