/** camelCase in TypeScript, snake_case in JSON: the one function that maps each way. */

/** Fields whose values belong to the user or to Claude: their keys are data and are never renamed. */
const opaque = new Set([
  "mcpServers",
  "jsonSchema",
  "env",
  "structuredOutput",
  "modelUsage",
  "toolInput",
  "context",
  "outputVars",
  "vars",
  "arguments",
  "frontMatter",
]);

/** A record as JSON shows it. Absent fields stay absent. */
export function toWire(value: unknown): unknown {
  return rename(value, snakeCase, (key) => opaque.has(key));
}

/** A record as the library knows it. */
export function fromWire(value: unknown): unknown {
  return rename(value, camelCase, (key) => opaque.has(camelCase(key)));
}

/** @example snakeCase("maxBudgetUsd") // "max_budget_usd" */
export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** @example camelCase("max_budget_usd") // "maxBudgetUsd" */
export function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function rename(value: unknown, name: (key: string) => string, isOpaque: (key: string) => boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => rename(item, name, isOpaque));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [name(key), isOpaque(key) ? item : rename(item, name, isOpaque)]),
  );
}
