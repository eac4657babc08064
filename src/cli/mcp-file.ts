/**
 * The project's .mcp.json: one server is put into it or taken out, and nothing else of it is touched.
 *
 * I1. What cannot be read as a file of servers is refused, never replaced.
 * I2. A server of the same name that was not written by `init`, or was changed since, is replaced only by force.
 * I3. What was there before is kept in the user's own folder before the file is written, so that an undo after a crash
 *     finds it.
 */
import { existsSync, lstatSync, mkdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";
import { PoolError, invalidOptions } from "../core/errors.ts";
import { poolHome } from "../project.ts";
import { writeWhole } from "../write-whole.ts";
import { removeMember, setMember } from "./json-text.ts";

export interface Change {
  readonly path: string;
  readonly name: string;
  readonly action: "created" | "updated" | "removed" | "unchanged";
  readonly isUndo: boolean;
  /** The whole text; null: no file. */
  readonly before: string | null;
  readonly after: string | null;
}

/** What `init` did last to a file. */
interface Written {
  readonly name: string;
  readonly before: string | null;
  readonly after: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

export class McpFile {
  readonly path: string;
  readonly #home: string;
  readonly #text: string | undefined;

  /** @throws {PoolError} `invalid_options` for a file that is none of servers. */
  constructor(directory: string, env: Environment) {
    const path = join(directory, ".mcp.json");
    // A link stays one: what it leads to is written.
    this.path = existsSync(path) ? realpathSync(path) : path;
    this.#home = poolHome(env);
    this.#text = textOf(this.path);
    serversOf(this.#text, this.path);
  }

  /** The change that puts this server in. @throws {PoolError} `invalid_options` (I2). */
  with(name: string, entry: object, isForced: boolean): Change {
    const present = serverOf(this.#text, this.path, name);
    if (present !== undefined && !same(present, entry) && !isForced && !this.#isOurs(name, present)) {
      throw invalidOptions(
        `${this.path} has another server named ${JSON.stringify(name)}: ${JSON.stringify(present)}. Nothing was changed. ` +
          "Choose another name with --name, or replace it with --force.",
        "--name",
      );
    }
    const before = this.#text ?? null;
    if (present !== undefined && same(present, entry)) return this.#change("unchanged", name, before, false);
    const bare = withoutMark(before ?? "{}\n");
    const after = mark(before) + setMember(bare.trim() === "" ? "{}\n" : bare, ["mcpServers", name], entry);
    // Of two members of one name JSON keeps the last, and it is the first that was changed.
    if (!same(serverOf(after, this.path, name), entry)) throw notServers(this.path, "it has `mcpServers` twice");
    return this.#change(before === null ? "created" : "updated", name, after, false);
  }

  /** The change that takes it out, or puts back what it replaced. @throws {PoolError} `invalid_options`. */
  without(name: string, isForced: boolean): Change {
    const before = this.#text ?? null;
    const present = serverOf(this.#text, this.path, name);
    const written = this.#written();
    if (before === null || present === undefined) return this.#change("unchanged", name, before, true);
    if (written?.name === name && before === written.after) return this.#restored(name, written.before);
    if (!isForced && !this.#isOurs(name, present)) {
      throw invalidOptions(
        `${this.path}: the server ${JSON.stringify(name)} was not written by \`claude-pool init\`, or was changed since. ` +
          "Nothing was changed. Take it out by hand, or with --undo --force.",
        "--undo",
      );
    }
    const old = written?.name === name ? serverOf(written.before ?? undefined, this.path, name) : undefined;
    const path = ["mcpServers", name];
    const bare = withoutMark(before);
    return this.#restored(
      name,
      mark(before) + (old === undefined ? removeMember(bare, path) : setMember(bare, path, old)),
    );
  }

  /** Carries a change out; the file is the old one or the new one at every moment. */
  write({ action, isUndo, name, before, after }: Change): void {
    if (action === "unchanged") return;
    if (!isUndo && after !== null) {
      // Of several calls in a row, what stood there before the first is what an undo means.
      const last = this.#written();
      const first = last?.name === name && last.after === before ? last.before : before;
      this.#remember({ name, before: first, after }); // I3
    }
    if (after === null) rmSync(this.path);
    else writeWhole(this.path, after, 0o644);
    if (isUndo) this.#remember(undefined);
  }

  #restored(name: string, after: string | null): Change {
    return this.#change(after === null ? "removed" : "updated", name, after, true);
  }

  #change(action: Change["action"], name: string, after: string | null, isUndo: boolean): Change {
    return { path: this.path, name, action, isUndo, before: this.#text ?? null, after };
  }

  #isOurs(name: string, present: unknown): boolean {
    const written = this.#written();
    return written?.name === name && same(serverOf(written.after, this.path, name), present);
  }

  #written(): Written | undefined {
    return this.#notes()[this.path];
  }

  #remember(written: Written | undefined): void {
    const { [this.path]: _, ...others } = this.#notes();
    mkdirSync(this.#home, { recursive: true, mode: 0o700 });
    const notes = written === undefined ? others : { ...others, [this.path]: written };
    writeWhole(this.#notesPath, `${JSON.stringify(notes, undefined, 2)}\n`, 0o600);
  }

  #notes(): Readonly<Record<string, Written>> {
    if (!existsSync(this.#notesPath)) return {};
    try {
      return JSON.parse(readFileSync(this.#notesPath, "utf8")) as Readonly<Record<string, Written>>;
    } catch (error) {
      const text = `${this.#notesPath} is damaged. Remove it; then only --undo --force takes a server out.`;
      throw new PoolError("invalid_options", text, { file: this.#notesPath }, error);
    }
  }

  get #notesPath(): string {
    return join(this.#home, "init.json");
  }
}

/** The file's text; undefined where there is none. @throws {PoolError} `invalid_options` for what cannot be read (I1). */
function textOf(path: string): string | undefined {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw notServers(path, `cannot be read: ${(error as Error).message}`, error);
  }
}

function serverOf(text: string | undefined, path: string, name: string): unknown {
  const servers = serversOf(text, path);
  return Object.hasOwn(servers, name) ? servers[name] : undefined;
}

/** The servers of a text; none for no file or an empty one. @throws {PoolError} `invalid_options` (I1). */
function serversOf(text: string | undefined, path: string): Readonly<Record<string, unknown>> {
  const bare = withoutMark(text ?? "");
  if (bare.trim() === "") return {};
  const value = parsed(bare, path);
  if (!isObject(value)) throw notServers(path, "it holds no object");
  const { mcpServers = {} } = value;
  if (!isObject(mcpServers)) throw notServers(path, "its `mcpServers` is no object");
  return mcpServers;
}

function parsed(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw notServers(path, `not JSON: ${(error as Error).message}`, error);
  }
}

function notServers(path: string, why: string, cause?: unknown): PoolError {
  return new PoolError(
    "invalid_options",
    `${path}: ${why}. Nothing was changed; mend it first.`,
    { file: path },
    cause,
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

const byteOrderMark = "\uFEFF";

function mark(text: string | null): string {
  return text?.startsWith(byteOrderMark) === true ? byteOrderMark : "";
}

function withoutMark(text: string): string {
  return text.startsWith(byteOrderMark) ? text.slice(1) : text;
}
