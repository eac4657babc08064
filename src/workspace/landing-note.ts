/**
 * The last move of a branch by the pool, in a small file in the git common directory: so that a move that was cut short can be
 * told from a user's own changes, and one that nobody heard of is not made twice.
 */
import { createHash } from "node:crypto";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CheckResult } from "../core/workspace.ts";
import { textOf } from "./checkout.ts";

export interface LandingNote {
  /** `checking`: nothing was changed yet. `moving`: the checkouts may stand anywhere between the two commits. */
  readonly state: "checking" | "moving" | "moved";
  readonly branch: string;
  readonly before: string;
  readonly commit: string;
  /** Their roots. */
  readonly checkouts: readonly string[];
  /** Absent for an undone merge. */
  readonly taskId?: string;
  readonly mergeId?: string;
  readonly saved?: string;
  readonly checks?: readonly CheckResult[];
}

export async function readNote(repository: string, branch: string): Promise<LandingNote | undefined> {
  const text = await textOf(fileOf(repository, branch));
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as LandingNote;
  } catch {
    return undefined; // it was edited: then nothing is known, and nothing is touched
  }
}

/** Survives a power cut. */
export async function writeNote(repository: string, note: LandingNote): Promise<void> {
  const file = fileOf(repository, note.branch);
  await mkdir(join(repository, folder), { recursive: true });
  await writeFile(`${file}.new`, JSON.stringify(note), { flush: true });
  await rename(`${file}.new`, file);
}

export async function dropNote(repository: string, branch: string): Promise<void> {
  await rm(fileOf(repository, branch), { force: true });
}

const folder = "claude-pool-landings";

function fileOf(repository: string, branch: string): string {
  const name = createHash("sha256").update(branch).digest("hex").slice(0, 16);
  return join(repository, folder, `${name}.json`);
}
