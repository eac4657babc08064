/** The schemas of the OpenAPI document that have a name: what is equal to one anywhere is a reference to it. */
import type { z } from "zod";
import { claimAnswer, entryAnswer } from "../schema/answers-activity.ts";
import { chainProgressAnswer, chainResultAnswer } from "../schema/answers-chain.ts";
import { metricsAnswer, skillAnswer, skillEntryAnswer, slotAnswer } from "../schema/answers-pool.ts";
import { requestAnswer } from "../schema/answers-requests.ts";
import { problemAnswer } from "../schema/answers-rest.ts";
import { settledAnswer } from "../schema/answers-settled.ts";
import {
  overridesAnswer,
  runRecordAnswer,
  taskOutcomeAnswer,
  taskRecordAnswer,
  taskResultAnswer,
} from "../schema/answers-task.ts";
import { mergeAnswer, workspaceAnswer } from "../schema/answers-workspace.ts";
import { chainSchema } from "../schema/chain.ts";
import { slotConfigSchema, taskSpecSchema } from "../schema/fields.ts";
import { definitionSchema } from "../schema/skill.ts";

/** Of what comes in, by name. */
export const inputs: Readonly<Record<string, z.ZodType>> = {
  Chain: chainSchema,
  ChainStep: chainSchema.shape.steps.element,
  SkillDefinition: definitionSchema,
  SlotConfig: slotConfigSchema,
  TaskSpec: taskSpecSchema,
};

/** Of what goes out, by name. */
export const outputs: Readonly<Record<string, z.ZodType>> = {
  ChainProgress: chainProgressAnswer,
  ChainResult: chainResultAnswer,
  PoolMetrics: metricsAnswer,
  LogClaim: claimAnswer,
  LogEntry: entryAnswer,
  Merge: mergeAnswer,
  Problem: problemAnswer,
  Request: requestAnswer,
  Run: runRecordAnswer,
  SettledTask: settledAnswer,
  Skill: skillAnswer,
  SkillEntry: skillEntryAnswer,
  Slot: slotAnswer,
  Task: taskRecordAnswer,
  TaskOutcome: taskOutcomeAnswer,
  TaskOverrides: overridesAnswer,
  TaskResult: taskResultAnswer,
  Workspace: workspaceAnswer,
};

type Node = Readonly<Record<string, unknown>>;

/** The named schemas, and a function that puts references in their place. */
export function components(named: Readonly<Record<string, Node>>): {
  readonly schemas: Readonly<Record<string, unknown>>;
  readonly refer: (node: unknown) => unknown;
} {
  const names = new Map(Object.entries(named).map(([name, node]) => [JSON.stringify(node), name]));

  function inside(node: unknown): unknown {
    if (Array.isArray(node)) return node.map(refer);
    if (typeof node !== "object" || node === null) return node;
    return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, refer(value)]));
  }
  function refer(node: unknown): unknown {
    if (typeof node !== "object" || node === null || Array.isArray(node)) return inside(node);
    const { description, ...plain } = node as Node;
    const name = names.get(JSON.stringify(node)) ?? names.get(JSON.stringify(plain));
    if (name === undefined) return inside(node);
    return { $ref: `#/components/schemas/${name}`, ...(description === undefined ? {} : { description }) };
  }
  return { schemas: Object.fromEntries(Object.entries(named).map(([name, node]) => [name, inside(node)])), refer };
}
