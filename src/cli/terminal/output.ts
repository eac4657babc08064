/** Data on stdout, talk on stderr. */
import { once } from "node:events";
import { toWire } from "../../core/wire.ts";
import { colours, type Colours } from "./colour.ts";
import type { Io, Sink } from "./io.ts";

export class Output {
  readonly #io: Io;
  readonly #closed = new AbortController();
  /** For text on stdout and on stderr; plain where it is no terminal, or NO_COLOR is set. */
  readonly colour: Colours;
  readonly talkColour: Colours;

  constructor(io: Io) {
    this.#io = io;
    this.colour = colours(io.stdout, io.env);
    this.talkColour = colours(io.stderr, io.env);
    io.stdout.on("error", (error: NodeJS.ErrnoException) => {
      this.#closed.abort(error);
      // `claude-pool list | head` is no failure: the reader has what it wants.
      if (error.code !== "EPIPE") this.say(`error: cannot write to stdout: ${error.message}`);
    });
    io.stderr.on("error", () => undefined); // nobody is left to be told
  }

  /** Aborted when nobody reads stdout any more. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** Writes as it is, no newline added; resolves when there is room for more. */
  async write(text: string): Promise<void> {
    if (this.closed.aborted || this.#io.stdout.write(text)) return;
    await once(this.#io.stdout, "drain", { signal: this.closed }).catch((error: unknown) => {
      if (!this.closed.aborted) throw error;
    });
  }

  async line(text: string): Promise<void> {
    await this.write(`${text}\n`);
  }

  /** One record as one line of JSON, in wire names. */
  async record(value: unknown): Promise<void> {
    await this.line(JSON.stringify(toWire(value)));
  }

  /** A line for the person at the terminal. */
  say(text: string): void {
    this.#io.stderr.write(`${text}\n`);
  }

  get talk(): Sink {
    return this.#io.stderr;
  }

  get columns(): number | undefined {
    const { isTTY, columns = 0 } = this.#io.stdout;
    return isTTY === true && columns > 0 ? columns : undefined;
  }
}
