/** Skills: prompt templates with arguments. */
import { PoolError } from "../../core/errors.ts";
import type { SubmitOptions } from "../../core/api.ts";
import { skillAnswer } from "../../schema/answers-pool.ts";
import { acceptedAnswer, skillListAnswer } from "../../schema/answers-rest.ts";
import { parseRest, skillRunBody } from "../../schema/rest.ts";
import { definitionSchema, parseSkillDefinition } from "../../schema/skill.ts";
import type { Route } from "../route.ts";
import { withKey } from "./tasks.ts";

const tag = "skills";

export const skillRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/v1/skills",
    name: "listSkills",
    summary: "Every skill by name; a broken one with its error",
    tag,
    status: 200,
    answer: skillListAnswer,
    handle: async ({ pool }) => ({ skills: await pool.skills.list() }),
  },
  {
    method: "POST",
    path: "/v1/skills",
    name: "addSkill",
    summary: "Add a skill for every process of the pool; one of the same name that was added before is replaced",
    tag,
    body: definitionSchema,
    status: 201,
    answer: skillAnswer,
    handle: ({ pool, body }) => pool.skills.add(parseSkillDefinition(body, "wire")),
  },
  {
    method: "GET",
    path: "/v1/skills/:name",
    name: "getSkill",
    summary: "A skill as it is written",
    tag,
    status: 200,
    answer: skillAnswer,
    handle: ({ pool, param }) => pool.skills.get(param("name")),
  },
  {
    method: "DELETE",
    path: "/v1/skills/:name",
    name: "removeSkill",
    summary: "Remove a skill that was added at run time",
    tag,
    status: 204,
    async handle({ pool, param }) {
      const name = param("name");
      if (await pool.skills.remove(name)) return;
      throw new PoolError(
        "skill_not_found",
        `No skill ${JSON.stringify(name)} was added at run time; those in folders are files.`,
        {
          skill: name,
        },
      );
    },
  },
  {
    method: "POST",
    path: "/v1/skills/:name/run",
    name: "runSkill",
    summary: "Submit a skill as a task",
    tag,
    body: skillRunBody,
    isBodyOptional: true,
    takesKey: true,
    status: 202,
    answer: acceptedAnswer,
    async handle({ pool, param, body, key }) {
      const { arguments: values, ...options } = parseRest(skillRunBody, body);
      const task = await pool.skills.submit(param("name"), values, withKey(options as SubmitOptions, key));
      return { taskId: task.id, state: (await pool.get(task.id)).state };
    },
  },
];
