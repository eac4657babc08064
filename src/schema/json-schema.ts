/** The JSON schema of claude-pool.json, made from the schema that reads it. */
import { z } from "zod";
import { defaultConfig } from "../core/config.ts";
import { snakeCase, toWire } from "../core/wire.ts";
import { chainSchema } from "./chain.ts";
import { configFileSchema } from "./fields.ts";

type Node = Readonly<Record<string, unknown>>;

/** The schema that editors and `$schema` use; published as schema/claude-pool.schema.json. */
export function poolConfigJsonSchema(): Node {
  const { $schema, ...schema } = inWireNames(
    z.toJSONSchema(configFileSchema, { io: "input", target: "draft-2020-12" }),
  ) as Node;
  const properties = schema.properties as Readonly<Record<string, Node>>;
  const defaults = toWire(defaultConfig) as Node;
  const described = Object.entries(properties).map(([key, node]) => [
    key,
    key in defaults ? { ...node, default: defaults[key] } : node,
  ]);
  return {
    $schema,
    title: "claude-pool.json",
    description: "Settings of a claude-pool: the project's own, or the user's in ~/.claude-pool.",
    ...schema,
    properties: { $schema: { type: "string" }, ...Object.fromEntries(described) },
  };
}

/** The schema of chain files, for editors; published as schema/claude-pool-chain.schema.json. */
export function chainJsonSchema(): Node {
  const { $schema, ...schema } = inWireNames(z.toJSONSchema(chainSchema, { io: "input", target: "draft-2020-12" })) as Node;
  const properties = schema.properties as Readonly<Record<string, Node>>;
  return {
    $schema,
    title: "A chain of claude-pool",
    description: "Steps that build on each other: `claude-pool chain run FILE`, as YAML or JSON. A list of steps alone will do too.",
    anyOf: [{ ...schema, properties: { $schema: { type: "string" }, ...properties } }, properties.steps],
  };
}

/** Names of fields as JSON has them; only `properties` and `required` hold names. */
export function inWireNames(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(inWireNames);
  if (typeof node !== "object" || node === null) return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => {
      if (key === "required") return [key, (value as readonly string[]).map(snakeCase)];
      if (key !== "properties") return [key, inWireNames(value)];
      const fields = Object.entries(value as Node).map(([name, field]) => [snakeCase(name), inWireNames(field)]);
      return [key, Object.fromEntries(fields)];
    }),
  );
}
