/** A tool as `tools/list` shows it: its schemas as JSON, in wire names, without what no client can use. */
import { z } from "zod";
import { inWireNames } from "../schema/json-schema.ts";
import type { Effect, Tool } from "./tool.ts";

type Node = Readonly<Record<string, unknown>>;

export interface PublishedTool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly inputSchema: { readonly type: "object"; readonly [key: string]: unknown };
  readonly outputSchema: { readonly type: "object"; readonly [key: string]: unknown };
  readonly annotations: Readonly<Record<string, boolean>>;
}

export function published(tool: Tool): PublishedTool {
  const { name, title, description, effect } = tool;
  const input = z.toJSONSchema(tool.shown ?? tool.input, { io: "input", unrepresentable: "any" });
  const output = z.toJSONSchema(tool.output, { io: "output", unrepresentable: "any" });
  return {
    name,
    title,
    description,
    inputSchema: object(withoutNoise(inWireNames(input))),
    outputSchema: { type: "object", ...shape(output) },
    annotations: annotations[effect],
  };
}

/** As MCP understands them: without a hint a tool that does not only read counts as destructive. */
const annotations: Readonly<Record<Effect, Readonly<Record<string, boolean>>>> = {
  reads: { readOnlyHint: true },
  adds: { destructiveHint: false },
  changes: { destructiveHint: false, idempotentHint: true },
  removes: { destructiveHint: true, idempotentHint: true },
  work: { destructiveHint: true, openWorldHint: true },
};

function object(schema: unknown): { readonly type: "object"; readonly [key: string]: unknown } {
  return { ...(schema as Node), type: "object" };
}

/** Say nothing where they are empty. */
const mayGo = ["additionalProperties", "required", "properties"];

/** Input as it is, but for bounds that only say "a safe integer", patterns and empty rules. */
function withoutNoise(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withoutNoise);
  if (typeof node !== "object" || node === null) return node;
  const entries = Object.entries(node as Node).filter(([key, value]) => {
    if (key === "$schema" || key === "pattern" || key === "propertyNames") return false;
    if (key === "minimum" || key === "maximum") return Math.abs(Number(value)) < Number.MAX_SAFE_INTEGER;
    return !mayGo.includes(key) || !isEmpty(value);
  });
  return Object.fromEntries(entries.map(([key, value]) => [key, withoutNoise(value)]));
}

/**
 * Output by its own fields: enough to tell whether an answer is one. What only some failures have, and the kinds of values
 * inside, are in the docs and not in every client's list.
 */
function shape(schema: Node): { readonly properties: Node; readonly required: readonly string[] } {
  const required = (schema.required ?? []) as readonly string[];
  const fields = Object.entries(schema.properties as Readonly<Record<string, Node>>);
  const shown = fields.filter(([name]) => required.includes(name) || !rare.includes(name));
  return {
    properties: Object.fromEntries(shown.map(([name, field]) => [name, kind(field)])),
    required,
  };
}

const rare = [
  "cut",
  "turns_used",
  "elapsed_ms",
  "permission_mode",
  "review_required",
  "merge_id",
  "session_id",
  "usage",
  "rejection_count",
  "max_rejections",
  "api_status",
  "failed_command",
  "exit_code",
  "stderr",
  "cost_estimated",
  "budget_exceeded",
  "permission_denials",
];

/** Which values a state has, the instructions say once for all tools. */
function kind({ type, items }: Node): Node {
  if (type === "array" && typeof items === "object") return { type, items: kind(items as Node) };
  return type === undefined ? {} : { type };
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}
