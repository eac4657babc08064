/** Chain files: YAML, or JSON by its name. */
import { parseDocument } from "yaml";
import { PoolError } from "../core/errors.ts";
import { parseChain, type WrittenChain } from "./chain.ts";

/** The most that a chain file may hold, in characters. */
const maxCharacters = 4_000_000;

/**
 * The text of a chain file.
 *
 * @throws {PoolError} `invalid_options`, beginning with the file's name.
 */
export function parseChainFile(text: string, filename: string): WrittenChain {
  if (text.length > maxCharacters) throw badFile(filename, `it is longer than ${String(maxCharacters)} characters`);
  const value = filename.endsWith(".json") ? readJson(text, filename) : readYaml(text, filename);
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  const { $schema: _, ...chain } = isObject ? (value as Readonly<Record<string, unknown>>) : {};
  return parseChain(isObject ? chain : value, "wire", filename);
}

function readJson(text: string, filename: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    throw badFile(filename, `not JSON: ${(error as Error).message}`, error);
  }
}

function readYaml(text: string, filename: string): unknown {
  const document = parseDocument(text, { prettyErrors: true });
  const [error] = document.errors;
  if (error !== undefined) throw badFile(filename, `not YAML: ${(error.message.split("\n")[0] ?? "").replace(/:$/, "")}`, error);
  try {
    return document.toJS({ maxAliasCount: 100 }); // aliases of aliases could fill the memory
  } catch (cause) {
    throw badFile(filename, `not YAML that can be used: ${(cause as Error).message}`, cause);
  }
}

function badFile(filename: string, what: string, cause?: unknown): PoolError {
  return new PoolError("invalid_options", `${filename}: ${what}.`, { file: filename }, cause);
}
