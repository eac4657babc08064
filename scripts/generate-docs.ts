/**
 * Writes what the docs take from the code: tables between `<!-- generated: NAME -->` and `<!-- end -->`, and the JSON
 * schema. `npm run docs` writes; test/docs/generated.test.ts fails when a page is out of date.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { errorMeanings, type ErrorMeaning } from "../src/core/error-meanings.ts";
import { chainJsonSchema, poolConfigJsonSchema } from "../src/schema/json-schema.ts";
import { defaultConfig } from "../src/core/config.ts";
import { snakeCase } from "../src/core/wire.ts";
import { openApiDocument } from "../src/server/openapi.ts";
import { figureTables } from "../test/activity/endings/figures.ts";
import { commandTable } from "./command-docs.ts";
import { resourceTable, toolTable } from "./mcp-docs.ts";
import { lifecycleDiagram, transitionTable } from "./lifecycle-docs.ts";
import { roomTable } from "./rooms.ts";

/** Every generated block by its name. */
const blocks: Readonly<Record<string, () => string>> = {
  errors: errorTable,
  transitions: transitionTable,
  "lifecycle diagram": lifecycleDiagram,
  settings: settingTable,
  rooms: roomTable,
  commands: commandTable,
  "mcp tools": toolTable,
  "mcp resources": resourceTable,
  "automatic mode": figureTables,
  "test template": () => `\`\`\`ts\n${readFileSync("test/docs/template.test.ts", "utf8")}\`\`\``,
};

const pages = [
  "CONTRIBUTING.md",
  "docs/activity-log.md",
  "docs/commands.md",
  "docs/configuration.md",
  "docs/errors.md",
  "docs/lifecycle.md",
  "docs/mcp.md",
] as const;
const schemaFile = "schema/claude-pool.schema.json";
const openApiFile = "schema/openapi.json";
const chainSchemaFile = "schema/claude-pool-chain.schema.json";

/** Every page with generated parts, by path, as it should be. */
export function generatedFiles(): ReadonlyMap<string, string> {
  const files = new Map<string, string>(pages.map((page) => [page, withBlocks(readFileSync(page, "utf8"), page)]));
  files.set(openApiFile, `${JSON.stringify(openApiDocument(), null, 2)}\n`);
  files.set(chainSchemaFile, `${JSON.stringify(chainJsonSchema(), null, 2)}\n`);
  return files.set(schemaFile, `${JSON.stringify(poolConfigJsonSchema(), null, 2)}\n`);
}

/** The page with the text between each pair of marks made anew. @throws on a mark that nothing generates. */
function withBlocks(page: string, path: string): string {
  return page.replace(
    /(<!-- generated: (.+?) -->)[\s\S]*?(<!-- end -->)/g,
    (_, open: string, name: string, close: string) => {
      const block = blocks[name];
      if (block === undefined) throw new Error(`${path}: nothing generates "${name}"`);
      return `${open}\n\n${block()}\n\n${close}`;
    },
  );
}

function errorTable(): string {
  const rows = Object.entries<ErrorMeaning>(errorMeanings).map(
    ([code, { exit, status, meaning, remedy }]) =>
      `| \`${code}\` | ${String(exit)} | ${String(status)} | ${meaning} | ${remedy} |`,
  );
  return ["| code | exit | HTTP | what happened | what to do |", "|---|---|---|---|---|", ...rows].join("\n");
}

interface SchemaNode {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly SchemaNode[];
  readonly items?: SchemaNode;
  readonly default?: unknown;
  readonly description?: string;
}

/** Every setting of claude-pool.json, from its own schema. */
function settingTable(): string {
  const { properties } = poolConfigJsonSchema() as { properties: Readonly<Record<string, SchemaNode>> };
  const rows = Object.entries(properties)
    .filter(([key]) => key !== "$schema")
    .map(([key, node]) => `| \`${key}\` | ${kindOf(node)} | ${defaultOf(key)} | ${node.description ?? ""} |`);
  return ["| key | value | default | what it does |", "|---|---|---|---|", ...rows].join("\n");
}

function kindOf(node: SchemaNode): string {
  if (node.enum !== undefined) return node.enum.map((value) => `\`${value}\``).join(", ");
  if (node.anyOf !== undefined) return node.anyOf.map(kindOf).join(" or ");
  if (node.type === "array") return `list of ${node.items === undefined ? "anything" : kindOf(node.items)}`;
  return node.type ?? "anything";
}

function defaultOf(key: string): string {
  const entry = Object.entries(defaultConfig).find(([name]) => snakeCase(name) === key);
  return entry === undefined ? "none" : `\`${JSON.stringify(wireKeys(entry[1]))}\``;
}

function wireKeys(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [snakeCase(key), item as unknown]));
}

if (import.meta.main) {
  for (const [path, content] of generatedFiles()) writeFileSync(path, content);
}
