/** A prompt for each skill, as it is at the moment, rendered as everywhere else. */
import { ProtocolError, ProtocolErrorCode } from "@modelcontextprotocol/server";
import { PoolError } from "../core/errors.ts";
import type { SkillEntry } from "../core/skill.ts";
import type { Pool } from "../pool.ts";

interface ListedPrompt {
  readonly name: string;
  readonly description?: string;
  readonly arguments: { name: string; description?: string; required: boolean }[];
}

/** Those that can be used; a broken one is shown by `pool_skill_list`. */
export async function promptList(pool: Pool): Promise<readonly ListedPrompt[]> {
  return (await pool.skills.list()).filter((skill) => skill.error === undefined).map(listed);
}

/** @throws {ProtocolError} for what is no prompt, or lacks an argument. */
export async function promptOf(pool: Pool, name: string, values: Readonly<Record<string, string>>) {
  try {
    const { description } = await pool.skills.get(name);
    const { prompt } = await pool.skills.spec(name, values);
    return { description, messages: [{ role: "user" as const, content: { type: "text" as const, text: prompt } }] };
  } catch (error) {
    if (!(error instanceof PoolError)) throw error;
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, error.message, { code: error.code });
  }
}

function listed({ name, description, arguments: declared = [] }: SkillEntry): ListedPrompt {
  return {
    name,
    ...(description === undefined ? {} : { description }),
    arguments: declared.map((one) => ({ ...one })),
  };
}
