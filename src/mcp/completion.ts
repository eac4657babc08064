/** Completion: ids and names as they are now, those that begin with what was typed. */
import type { Pool } from "../pool.ts";

interface Asked {
  readonly ref: { readonly type: string; readonly uri?: string; readonly name?: string };
  readonly argument: { readonly name: string; readonly value: string };
}

/** As many as MCP allows. */
const most = 100;

export async function completions(pool: Pool, { ref, argument }: Asked) {
  const all = await candidates(
    pool,
    ref.type === "ref/resource" ? (ref.uri ?? "") : `skill:${ref.name ?? ""}`,
    argument.name,
  );
  const values = [...new Set(all)].filter((one) => one.startsWith(argument.value));
  return { completion: { values: values.slice(0, most), total: values.length, hasMore: values.length > most } };
}

async function candidates(pool: Pool, uri: string, name: string): Promise<readonly string[]> {
  if (name === "state") return ["pending", "running", "pending_review", "completed", "failed", "cancelled"];
  if (uri.startsWith("pool://slots/")) return (await pool.findSlots()).map((slot) => slot.id);
  if (uri.startsWith("pool://requests/")) return (await pool.requests.list()).map((request) => request.id);
  if (uri.startsWith("pool://context/")) return Object.keys(await pool.listContext());
  if (uri.startsWith("pool://skills/")) return (await pool.skills.list()).map((skill) => skill.name);
  if (uri.startsWith("pool://merges/")) return (await pool.merges.list({ limit: 500 })).map((merge) => merge.id);
  const { tasks } = await pool.list({
    limit: 500,
    ...(uri.startsWith("pool://chains/") ? { kind: "chain" as const } : {}),
  });
  if (name === "tag") return tasks.flatMap((task) => task.tags);
  return ["id", "task_id"].includes(name) ? tasks.map((task) => task.id) : [];
}
