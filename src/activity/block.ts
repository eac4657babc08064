/** From an answer of Claude to what its `pool` blocks report. */
import { actionOf } from "./action.ts";
import { blockFields, type BlockFields } from "./block-fields.ts";
import { type Draft, withoutNone } from "./entry.ts";
import { poolFences } from "./fences.ts";

/** One block, read; its paths are still as they were written. */
export interface Block extends Omit<Draft, "paths" | "resources"> {
  /** The items of AFFECTS: paths and resources, neither sorted nor normalised. */
  readonly affects: readonly string[];
}

export interface Blocks {
  readonly blocks: readonly Block[];
  /** What was left out or guessed, one sentence each, for the error log. */
  readonly remarks: readonly string[];
}

const mostBlocks = 5;

/**
 * The `pool` blocks of an answer, at most five; a block with neither topic nor summary reports nothing.
 *
 * @example blocksOf("Done.\n```pool\nACTION: completed\nTOPIC: Auth fix\n```").blocks[0]?.topic // "Auth fix"
 */
export function blocksOf(answer: string): Blocks {
  const remarks: string[] = [];
  const blocks: Block[] = [];
  for (const { lines, isOpen } of poolFences(answer)) {
    const read = blockFields(lines);
    for (const key of read.unknown.slice(0, 5))
      remarks.push(`a pool block has an unknown key ${key}; its line was dropped`);
    const block = blockOf(read, isOpen);
    if (block === undefined) continue;
    if (actionOf(block.action ?? "").unknown === true) {
      remarks.push(`a pool block has the unknown action ${JSON.stringify(block.action)}; it was taken for signaling`);
    }
    blocks.push(block);
  }
  if (blocks.length > mostBlocks) {
    remarks.push(`an answer had ${String(blocks.length)} pool blocks; the first ${String(mostBlocks)} were taken`);
  }
  return { blocks: blocks.slice(0, mostBlocks), remarks };
}

function blockOf({ values, isFuzzy }: BlockFields, isOpen: boolean): Block | undefined {
  const { instance, action, topic = "", summary = "", affects = "", blocks = "", ttl, ref } = values;
  if (topic === "" && summary === "") return undefined;
  if (isOpen && action === undefined) return undefined;
  const seconds = ttl === undefined ? undefined : ttlOf(ttl);
  const flags = [...(isOpen ? ["truncated"] : []), ...(isFuzzy ? ["fuzzy_key"] : [])];
  return {
    ...(action === undefined ? {} : { action }),
    topic,
    summary,
    affects: itemsOf(affects),
    blocks: withoutNone(blocks),
    ...(seconds === undefined ? {} : { ttl: seconds }),
    ...(ref === undefined || ref === "" ? {} : { ref }),
    ...(instance === undefined || instance === "" ? {} : { declaredInstance: instance }),
    flags,
  };
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** Seconds, from `900`, `15m`, `1.5 h` or `2 days`; undefined for anything else. */
function ttlOf(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([smhd]?)(?:[a-z]*)$/iu.exec(text.trim());
  if (match === null) return undefined;
  return Math.round(Number(match[1]) * (unitSeconds[(match[2] ?? "").toLowerCase()] ?? 1));
}

/** The items of an AFFECTS value, without the marks that people put around a path. */
function itemsOf(text: string): readonly string[] {
  const items = text
    .slice(0, 8_192)
    .split(/[,;\n]/u)
    .map((item) =>
      item
        .trim()
        .replace(/^[-*+•]\s+/u, "")
        .replace(/\s+\([^()]*\)$/u, "")
        .replace(/^[`"'“”‘’]+|[`"'“”‘’]+$/gu, "")
        .replace(/(?<=[./A-Z].*):\d+(?:[-:]\d+)*$/u, "")
        .trim(),
    );
  return [...new Set(items.filter((item) => item !== "" && withoutNone(item) !== ""))];
}
