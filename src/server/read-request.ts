/** A request's query and body as values; what cannot be read is refused before anything looks at it. */
import { z } from "zod";
import { camelCase } from "../core/wire.ts";
import { HttpError } from "./problem.ts";

/** JSON nested deeper is nobody's task, and would cost the stack of whatever walks through it. */
const deepest = 100;

/**
 * The body as JSON; an empty object where none was sent and none is needed.
 *
 * @throws {HttpError} `not_json`, `body_too_large`, `malformed_request`.
 */
export async function readBody(request: Request, maxBytes: number, isOptional: boolean): Promise<unknown> {
  const length = Number(request.headers.get("content-length") ?? 0);
  if (length > maxBytes) throw tooLarge(maxBytes);
  const bytes = await bytesOf(request, maxBytes);
  if (bytes.length === 0 && isOptional) return {};
  const coding = request.headers.get("content-encoding") ?? "identity";
  if (coding.toLowerCase() !== "identity") {
    throw new HttpError(
      "not_json",
      `Send the JSON as it is, without Content-Encoding ${JSON.stringify(coding.slice(0, 100))}.`,
    );
  }
  const type = (request.headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  if (type !== "application/json") {
    throw new HttpError(
      "not_json",
      `Send JSON with \`Content-Type: application/json\`, not ${JSON.stringify(type.slice(0, 100))}.`,
    );
  }
  return parsed(decoded(bytes));
}

/**
 * The query in wire names, with numbers, true and false, and lists made of text as the schema has them; what does not fit
 * stays text, so that the schema says what is wrong with it.
 */
export function readQuery(schema: z.ZodObject | undefined, params: URLSearchParams): Readonly<Record<string, unknown>> {
  const kinds = schema === undefined ? {} : kindsOf(schema);
  const names = [...new Set(params.keys())];
  return Object.fromEntries(
    names.map((name) => [name, valueOf(kinds[camelCase(name)] ?? "text", params.getAll(name))]),
  );
}

type Kind = "text" | "number" | "flag" | "list" | "one or list";

const known = new WeakMap<z.ZodObject, Readonly<Record<string, Kind>>>();

function kindsOf(schema: z.ZodObject): Readonly<Record<string, Kind>> {
  let kinds = known.get(schema);
  if (kinds === undefined) {
    const { properties = {} } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
    kinds = Object.fromEntries(Object.entries(properties).map(([name, node]) => [name, kindOf(node)]));
    known.set(schema, kinds);
  }
  return kinds;
}

function kindOf(node: unknown): Kind {
  const { type, anyOf } = node as { readonly type?: string; readonly anyOf?: readonly unknown[] };
  if (anyOf !== undefined) return anyOf.map(kindOf).includes("list") ? "one or list" : "text";
  if (type === "integer" || type === "number") return "number";
  if (type === "boolean") return "flag";
  return type === "array" ? "list" : "text";
}

function valueOf(kind: Kind, values: readonly string[]): unknown {
  if (kind === "list") return values;
  const [value = ""] = values;
  // Twice where once was meant is a list, which the schema then refuses.
  if (values.length > 1) return values;
  if (kind === "flag" && (value === "true" || value === "false")) return value === "true";
  if (kind === "number" && /^-?\d{1,15}(\.\d{1,6})?$/.test(value)) return Number(value);
  return value;
}

async function bytesOf(request: Request, maxBytes: number): Promise<readonly Uint8Array[]> {
  if (request.body === null) return [];
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of request.body as unknown as AsyncIterable<Uint8Array>) {
      size += chunk.byteLength;
      if (size > maxBytes) throw tooLarge(maxBytes);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof HttpError) throw error;
    throw new HttpError("malformed_request", "The body did not come in whole.");
  }
  return chunks;
}

function decoded(chunks: readonly Uint8Array[]): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    // Bytes that are no UTF-8 are the client's mistake, and there is no more to say of them.
    throw new HttpError("malformed_request", "The body is not UTF-8.");
  }
}

function parsed(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new HttpError("malformed_request", `The body is not JSON: ${(error as Error).message.slice(0, 200)}.`);
  }
  if (isDeeper(value, deepest))
    throw new HttpError("malformed_request", `The body is nested deeper than ${String(deepest)} levels.`);
  return value;
}

/** Level by level, so that the depth costs no stack. */
function isDeeper(value: unknown, levels: number): boolean {
  let level: readonly unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > levels) return true;
    level = level.flatMap((one) => (typeof one === "object" && one !== null ? (Object.values(one) as unknown[]) : []));
  }
  return false;
}

function tooLarge(maxBytes: number): HttpError {
  return new HttpError("body_too_large", `The body is larger than ${String(maxBytes)} bytes.`);
}
