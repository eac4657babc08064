/**
 * One `claude` process held open by the Agent SDK: starting it, talking to it, and knowing when it is gone.
 *
 * The SDK's own start and stop are not used: it would lose the pid, and its kill reaches no tool.
 */
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import type { Options, Query, query, SDKMessage, SDKUserMessage } from "@anthropic-ai/claude-agent-sdk";
import type { ProcessIdentity } from "../../core/task.ts";
import type { ProcessTable } from "../process-table.ts";
import { endAll, findFamily, isQuiet, signal, type Family } from "./end-processes.ts";
import type { Namespace } from "./namespace.ts";

/** How the process ended. */
export interface Ending {
  readonly exitCode?: number;
  readonly signal?: string;
}

export interface ProcessOptions {
  /** The Agent SDK's. */
  readonly query: typeof query;
  readonly executable: string;
  readonly marker: string;
  readonly namespace: Namespace | undefined;
  readonly table: ProcessTable;
  readonly killGraceMs: number;
  readonly sdk: Options;
}

/** What the CLI says of itself when it opens. */
export interface Opened {
  readonly version?: string;
}

export class ClaudeProcess {
  readonly query: Query;
  readonly child: ChildProcessWithoutNullStreams;
  readonly gone: Promise<void>;
  readonly #options: ProcessOptions;
  readonly #outbox = new Outbox();
  readonly #listeners = new Set<(message: SDKMessage) => void>();
  #stderr = "";
  #ending: Ending | undefined;
  #family: Family;
  #closing: Promise<void> | undefined;

  constructor(options: ProcessOptions) {
    this.#options = options;
    this.#family = { marker: options.marker };
    let child: ChildProcessWithoutNullStreams | undefined;
    this.query = options.query({
      prompt: this.#outbox,
      options: {
        ...options.sdk,
        pathToClaudeCodeExecutable: options.executable,
        spawnClaudeCodeProcess: ({ command, args, cwd, env }) => {
          child = start(options.namespace, command, args, cwd, env);
          return child;
        },
      },
    });
    if (child === undefined) throw new Error("The Agent SDK did not start the Claude CLI.");
    this.child = child;
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-stderrCharacters);
    });
    this.gone = new Promise((resolve) => {
      const end = (exitCode: number | null, name: NodeJS.Signals | null): void => {
        this.#ending ??= { ...(exitCode === null ? {} : { exitCode }), ...(name === null ? {} : { signal: name }) };
        this.#outbox.end();
        resolve();
      };
      // `close` comes after the last of stderr, but waits for whoever inherited the pipes; `exit` does not.
      this.child.once("close", end);
      this.child.once("exit", (code, name) => setTimeout(end, stderrWaitMs, code, name).unref());
      this.child.once("error", () => {
        end(null, null);
      });
    });
    void this.#read();
  }

  get stderr(): string {
    return this.#stderr.trim();
  }

  /** How it ended; undefined as long as it lives. */
  get ending(): Ending | undefined {
    return this.#ending;
  }

  /** Waits until the CLI answers; rejects if it ends before. */
  async opened(): Promise<Opened> {
    const answer: unknown = await this.query.initializationResult();
    const version =
      typeof answer === "object" && answer !== null && "claude_code_version" in answer
        ? answer.claude_code_version
        : "";
    return typeof version === "string" && version !== "" ? { version } : {};
  }

  /** Finds the CLI behind its wrappers; undefined: it is gone already. */
  async identify(): Promise<ProcessIdentity | undefined> {
    const { table, marker, namespace } = this.#options;
    const all = await table.list();
    const outer = all.find((entry) => entry.pid === this.child.pid);
    const init = namespace === undefined ? undefined : all.find((entry) => entry.ppid === outer?.pid);
    // Orphans in the namespace become children of its first process too, but the CLI was there before all of them.
    const children = all.filter((entry) => init !== undefined && entry.ppid === init.pid);
    const cli =
      namespace === undefined
        ? outer
        : children.sort((a, b) => Number(a.startTime) - Number(b.startTime) || a.pid - b.pid)[0];
    if (cli === undefined || outer === undefined) return undefined;
    const inside = init === undefined ? undefined : table.namespaceOf(init.pid);
    this.#family = {
      marker,
      cli,
      ...(inside === undefined ? {} : { namespace: inside }),
      ...(init === undefined ? {} : { wrappers: [outer.pid, init.pid] }),
    };
    return { pid: cli.pid, startTime: cli.startTime, marker };
  }

  send(message: SDKUserMessage): void {
    this.#outbox.push(message);
  }

  /** Calls back with every message; the function returned ends that. */
  listen(listener: (message: SDKMessage) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends what a turn's tools left alive; false: something could not be ended. */
  async endTools(usedTools: boolean): Promise<boolean> {
    if (isQuiet(this.#options.table, this.#family)) return true;
    // Without a namespace the whole table must be read: not for a turn that has started nothing.
    if (!usedTools && this.#family.namespace === undefined) return true;
    const left = await endAll(() => findFamily(this.#options.table, this.#family, true), this.#options.killGraceMs);
    return left.length === 0;
  }

  /** Every process of the tree, the CLI and its servers included. */
  tree(): ReturnType<typeof findFamily> {
    return findFamily(this.#options.table, this.#family, false);
  }

  /** Ends the process and everything it started. `politely`: idle, so that closing its input is enough. */
  close(politely: boolean): Promise<void> {
    this.#closing ??= this.#close(politely);
    return this.#closing;
  }

  async #close(politely: boolean): Promise<void> {
    this.#outbox.end();
    const grace = politely ? this.#options.killGraceMs : 0;
    if (politely) {
      this.child.stdin.end();
      await within(this.gone, grace);
    }
    if (this.#ending === undefined && this.#family.cli !== undefined) signal(this.#family.cli, "SIGKILL");
    if (this.#ending === undefined && this.#family.cli === undefined) this.child.kill("SIGKILL");
    await endAll(() => this.tree(), grace);
    if (this.#ending === undefined) this.child.kill("SIGKILL");
    await this.gone;
    this.query.close();
  }

  async #read(): Promise<void> {
    let broken: unknown;
    try {
      for await (const message of this.query) for (const listener of this.#listeners) listener(message);
    } catch (error) {
      broken = error;
    }
    // The stream breaks with the process, a little before its exit tells it better.
    if (await within(this.gone, exitWaitMs)) return;
    if (broken !== undefined) this.#stderr += `\n${broken instanceof Error ? broken.message : JSON.stringify(broken)}`;
    await this.close(false);
  }
}

/** As much of stderr as an error shows, from its end. */
const stderrCharacters = 4_000;
const stderrWaitMs = 50;
const exitWaitMs = 1_000;

function start(
  namespace: Namespace | undefined,
  command: string,
  args: readonly string[],
  cwd: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): ChildProcessWithoutNullStreams {
  const [file, list] =
    namespace === undefined ? [command, args] : [namespace.command, [...namespace.args, command, ...args]];
  // A group of its own: a Ctrl-C at the host's terminal is the host's to handle.
  const where = cwd === undefined ? {} : { cwd };
  const child = spawn(file, list, {
    ...where,
    env,
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  child.stdin.on("error", () => undefined); // the process died while we wrote: `exit` says so
  return child;
}

/** Resolves to true when the promise settles within so many milliseconds. */
export async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  try {
    return await Promise.race([
      promise.then(
        () => true,
        () => true,
      ),
      late,
    ]);
  } finally {
    clearTimeout(timer);
  }
}

/** The messages on their way to the CLI, as the SDK wants them: an endless iterable. */
class Outbox implements AsyncIterable<SDKUserMessage> {
  readonly #waiting: SDKUserMessage[] = [];
  #wake: (() => void) | undefined;
  #ended = false;

  push(message: SDKUserMessage): void {
    this.#waiting.push(message);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<SDKUserMessage, void> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) yield next;
      else if (this.#ended) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
