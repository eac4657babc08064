/** The labelled endings as they stand in the files beside this one, and how they were divided. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export type Label = "completed" | "blocked" | "none";

export interface Ending {
  readonly id: string;
  readonly kind: string;
  readonly label: Label;
  readonly calls: readonly string[];
  readonly answer: string;
  readonly subagent?: boolean;
  readonly why?: string;
}

const folder = new URL("./", import.meta.url);

/** All of them, by id. */
export function readEndings(): readonly Ending[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".jsonl"))
    .flatMap((name) => text(name).trim().split("\n"))
    .map((line) => JSON.parse(line) as Ending)
    .sort((a, b) => a.id.localeCompare(b.id));
}

/** The ids of those that were held back, as committed before there was a detector. */
export function readHeldBack(): readonly string[] {
  return JSON.parse(text("held-back.json")) as readonly string[];
}

/** Every second one in the order of a hash, which knows nothing of kinds and labels. */
export function splitOf(endings: readonly Ending[]): readonly string[] {
  return [...endings]
    .map(({ id, answer }) => ({ id, hash: createHash("sha256").update(`${id}\n${answer}`).digest("hex") }))
    .sort((a, b) => a.hash.localeCompare(b.hash))
    .filter((_, place) => place % 2 === 1)
    .map(({ id }) => id)
    .sort();
}

function text(name: string): string {
  return readFileSync(fileURLToPath(new URL(name, folder)), "utf8");
}
