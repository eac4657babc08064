/** Skills: prompts with arguments. */
import { z } from "zod";
import { skillScopes, skillSources } from "../../core/skill.ts";
import { answer, count, words, yes } from "../../schema/answer.ts";
import { skillAnswer, skillEntryAnswer } from "../../schema/answers-pool.ts";
import { definitionSchema } from "../../schema/skill.ts";
import { taskSpecSchema } from "../../schema/fields.ts";
import { flag, oneOf, text } from "../../schema/values.ts";
import { awaitTasks } from "../awaiting.ts";
import { cutFields } from "../bounded.ts";
import { taskAnswer, taskAnswerOf } from "../task-answer.ts";
import { tool, type Tool } from "../tool.ts";

const name = text("the name of a skill", 200);
const nameInput = z.strictObject({ name });
const place = oneOf(["project", "user"]).optional();
const { prompt: _prompt, key: _key, ...workFields } = taskSpecSchema.shape;
const values = z.record(z.string(), z.string({ error: "text" }), { error: "an object of texts" });

export const skillTools: readonly Tool[] = [
  tool({
    name: "pool_skill_run",
    title: "Run a skill",
    description: "Runs a skill (a prompt with arguments; pool_skill_list has them) as a task and waits for its result.",
    effect: "work",
    input: z.strictObject({ skill: name, arguments: values.optional(), ...workFields }),
    shown: z.looseObject({
      skill: z.string(),
      arguments: z.looseObject({}).optional(),
      model: z.string().optional(),
      effort: z.string().optional(),
      permissionMode: z.string().optional(),
    }),
    output: taskAnswer,
    run: async ({ skill, arguments: given = {}, ...options }, call) => {
      const task = await call.pool.skills.submit(
        skill,
        given,
        options as Parameters<typeof call.pool.skills.submit>[2],
      );
      await awaitTasks(call, [task.id], { isOurs: true });
      return taskAnswerOf(call, task.id);
    },
  }),
  tool({
    name: "pool_skill_list",
    title: "List skills",
    description: "Skills with their arguments and where each was found.",
    effect: "reads",
    input: z.strictObject({ scope: oneOf(skillScopes).optional(), source: oneOf(skillSources).optional() }),
    output: z.strictObject({ skills: z.array(skillEntryAnswer), count, ...cutFields }),
    run: async ({ scope, source }, { pool }) => {
      const all = await pool.skills.list();
      const skills = all.filter(
        (skill) => (scope === undefined || skill.scope === scope) && (source === undefined || skill.source === source),
      );
      return { skills, count: skills.length };
    },
  }),
  tool({
    name: "pool_skill_get",
    title: "A skill in full",
    description: "One skill as it is written, template and settings included.",
    effect: "reads",
    input: nameInput,
    output: skillAnswer.extend({ customised: yes.describe("it is no built-in one"), ...cutFields }),
    run: async ({ name: skill }, { pool }) => {
      const found = await pool.skills.get(skill);
      return { ...found, customised: found.source !== "builtin" };
    },
  }),
  tool({
    name: "pool_skill_add",
    title: "Add a skill",
    description: "Adds a skill for every process of this pool; one of the same name that was added before is replaced.",
    effect: "changes",
    input: definitionSchema,
    output: answer({ name: words, overwritten: yes, source: z.enum(skillSources) }),
    run: async (definition, { pool }) => {
      const before = await pool.skills.list();
      const skill = await pool.skills.add(definition as Parameters<typeof pool.skills.add>[0]);
      const overwritten = before.some((one) => one.name === skill.name);
      return { name: skill.name, overwritten, source: skill.source };
    },
  }),
  tool({
    name: "pool_skill_remove",
    title: "Remove a skill",
    description: "Removes a skill that was added at run time; those in folders stay.",
    effect: "removes",
    input: nameInput,
    output: answer({ name: words, removed: yes.describe("false: none of this name had been added") }),
    run: async ({ name: skill }, { pool }) => ({ name: skill, removed: await pool.skills.remove(skill) }),
  }),
  tool({
    name: "pool_skill_save",
    title: "Save a skill",
    description: "Writes a skill that was added at run time into the project's or your own folder.",
    effect: "adds",
    input: z.strictObject({ name, to: place, replace: flag().optional() }),
    output: answer({ saved: yes, path: words, format: words }),
    run: async ({ name: skill, to = "project", replace = false }, { pool }) => {
      const path = await pool.skills.save(skill, { to, replace });
      return { saved: true, path, format: "SKILL.md" };
    },
  }),
  tool({
    name: "pool_skill_eject",
    title: "Copy a skill to change it",
    description: "Copies a skill's folder into the project's or your own, where you can change it.",
    effect: "adds",
    input: z.strictObject({ name, to: place }),
    output: answer({ ejected: yes, path: words, hint: words }),
    run: async ({ name: skill, to = "project" }, { pool }) => {
      const path = await pool.skills.eject(skill, { to });
      return { ejected: true, path, hint: "The copy now wins over the original; edit it there." };
    },
  }),
];
