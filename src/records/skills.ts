/** Skills that were added at run time: every process of the pool sees them. */
import type { SqlTx } from "../core/ports.ts";
import type { Skill } from "../core/skill.ts";
import type { Change } from "./change.ts";

export async function runtimeSkills(sql: Pick<SqlTx, "all">): Promise<readonly Skill[]> {
  const rows = await sql.all("SELECT definition FROM skill ORDER BY name");
  return rows.map((row) => JSON.parse(String(row.definition)) as Skill);
}

/** One of the same name is replaced. */
export async function putSkill(change: Change, skill: Skill): Promise<void> {
  await writeSkill(change, skill);
  change.emit({ type: "skill.changed", data: { skill: skill.name, action: "added" } });
}

/** Without a word of it: an import brings its own events. */
export async function writeSkill(change: Change, skill: Skill): Promise<void> {
  await change.sql.run(
    "INSERT INTO skill (name, definition) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET definition = excluded.definition",
    [skill.name, JSON.stringify(skill)],
  );
}

/** True: it was there. */
export async function deleteSkill(change: Change, name: string): Promise<boolean> {
  const wasThere = (await change.sql.run("DELETE FROM skill WHERE name = ?", [name])) > 0;
  if (wasThere) change.emit({ type: "skill.changed", data: { skill: name, action: "removed" } });
  return wasThere;
}
