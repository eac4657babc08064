/**
 * What a terminal is called: `POOL_INSTANCE`, `CLAUDE_INSTANCE`, its title, a name kept for it, `s-` and the beginning of its hash.
 *
 * A block's INSTANCE line never changes who somebody is: it is text of a model.
 */
import { labelOf, sidOf } from "./entry.ts";
import type { Environment } from "./place.ts";

/** What a label is made from. */
export interface Naming {
  readonly env: Environment;
  /** The conversation's title, as `--name` or `/rename` set it. */
  readonly title?: string;
  /** The name that this terminal was given before. */
  readonly kept?: string;
  readonly sessionId: string;
}

/** The terminal's label; undefined where nobody has named it yet. */
export function givenLabel({ env, title, kept }: Naming): string | undefined {
  const named = [env.POOL_INSTANCE, env.CLAUDE_INSTANCE, title, kept];
  return named.map((text) => labelOf(text ?? "")).find((label) => label !== undefined);
}

/** The terminal's label; where nobody has named it, a memorable name that is not among `taken`. */
export function labelFor(naming: Naming, taken: ReadonlySet<string> = new Set()): string {
  return givenLabel(naming) ?? memorableName(naming.sessionId, taken);
}

/** The label of a subagent: its terminal's, with a suffix. */
export function subagentLabel(label: string, agent: string): string {
  const suffix = labelOf(agent)?.slice(0, 12) ?? "sub";
  return `${label.slice(0, 31 - suffix.length)}.${suffix}`;
}

/** Two words, always the same ones for a conversation unless they are taken; at the last, its hash. */
function memorableName(sessionId: string, taken: ReadonlySet<string>): string {
  const sid = sidOf(sessionId);
  for (let turn = 0; turn < 3; turn += 1) {
    const at = (from: number): number => Number.parseInt(sid.slice(from, from + 2), 16);
    const name = `${qualities[at(turn * 4) % qualities.length] ?? ""}-${creatures[at(turn * 4 + 2) % creatures.length] ?? ""}`;
    if (!taken.has(name)) return name;
  }
  return `s-${sid.slice(0, 8)}`;
}

const qualities =
  "amber brisk calm clear coral crisp eager early fleet gentle golden green happy keen kind light lively lucid mellow merry nimble noble patient quick quiet rapid ready silver steady sunny swift warm".split(
    " ",
  );
const creatures =
  "badger beaver bison crane curlew dolphin eagle egret falcon ferret finch fox gecko heron ibis jay koala lark lynx marten newt otter owl panda plover raven robin seal stoat swan tern wren".split(
    " ",
  );
