/**
 * The mark in a directory's own git dir: whose work stands there, known without the records.
 *
 * M1. The owner's name is written after what stood there before was saved, and before anything of his is put there.
 * M2. Only a `ready` directory holds work. What stands in one that is being made or removed is on its refs already, and is
 *     no state of anybody's.
 */
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { textOf } from "./checkout.ts";

export interface Mark {
  readonly state: "making" | "ready" | "removing";
  readonly poolId: string;
  readonly owner: string;
  /** The branch made for the owner, by its short name. */
  readonly branch: string;
  /** What HEAD was when the directory was handed over: a ref, or a commit where the worker had left its branch. */
  readonly head?: string;
}

const fileName = "claude-pool.json";

/** Undefined: it is none of the pool's directories, or one whose making was cut short before anything stood there. */
export async function readMark(gitDir: string): Promise<Mark | undefined> {
  const text = await textOf(join(gitDir, fileName));
  if (text === undefined) return undefined;
  let parsed: Partial<Record<string, unknown>>;
  try {
    parsed = JSON.parse(text) as Partial<Record<string, unknown>>;
  } catch {
    return undefined; // it was edited: then nobody is known as the owner, and what stands there is saved as a leftover
  }
  const { state, pool_id: poolId, owner, branch, head } = parsed;
  if (state !== "making" && state !== "ready" && state !== "removing") return undefined;
  if (typeof poolId !== "string" || typeof owner !== "string" || typeof branch !== "string") return undefined;
  if (!/^[\w.-]+$/.test(owner)) return undefined; // it becomes part of a ref
  return { state, poolId, owner, branch, ...(typeof head === "string" ? { head } : {}) };
}

export async function writeMark(gitDir: string, mark: Mark): Promise<void> {
  const { state, poolId, owner, branch, head } = mark;
  const file = join(gitDir, fileName);
  await writeFile(`${file}.new`, `${JSON.stringify({ state, pool_id: poolId, owner, branch, head })}\n`);
  await rename(`${file}.new`, file);
}
