/** One schema, three spellings: `maxTurns` in the library, `max_turns` on the wire, `--max-turns` on the command line. */
import { camelCase, fromWire, snakeCase } from "../core/wire.ts";

/** Whose names the caller used, and so those that errors use. */
export type Casing = "library" | "wire" | "flag";

/** A key of the schema as this caller writes it. */
export function spelled(key: string, casing: Casing): string {
  if (casing === "library") return key;
  const snake = snakeCase(key);
  return casing === "wire" ? snake : `--${snake.replaceAll("_", "-")}`;
}

/** Wire names become the library's; a key that is not spelled as on the wire stays, marked, so that it is unknown. */
export function toLibrary(input: unknown, casing: Casing): unknown {
  return casing === "wire" ? fromWire(markForeign(input)) : input;
}

/** The mark of a key that is camelCase where snake_case is asked for. */
export const foreignMark = "\u0000";

/** Fields whose keys are the caller's own and are spelled as they are. */
export const ownKeys: ReadonlySet<string> = new Set(["mcpServers", "jsonSchema", "env", "outputVars", "arguments"]);

function markForeign(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    return items.map(markForeign);
  }
  if (typeof value !== "object" || value === null) return value;
  const entries = (Object.entries(value) as [string, unknown][]).map(([key, item]) => [
    /[A-Z]/.test(key) ? foreignMark + key : key,
    ownKeys.has(camelCase(key)) ? item : markForeign(item),
  ]);
  return Object.fromEntries(entries);
}
