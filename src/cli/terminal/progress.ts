/** One line on a terminal that is written anew; plain lines, and only the lasting ones, anywhere else. */
import { oneLine } from "./table.ts";
import type { Sink } from "./io.ts";

const redrawMs = 100;

export class Progress {
  readonly #sink: Sink;
  readonly #live: boolean;
  #text: () => string = () => "";
  #timer: NodeJS.Timeout | undefined;
  #drawn = "";
  /** Notes that wait while other text is written. */
  #held: string[] | undefined;

  constructor(sink: Sink) {
    this.#sink = sink;
    this.#live = sink.isTTY === true;
  }

  /** From now on the line shows what `text` says, until `end`. */
  begin(text: () => string): void {
    this.#text = text;
    if (!this.#live || this.#timer !== undefined) return;
    this.#timer = setInterval(() => this.#draw(), redrawMs);
    this.#timer.unref();
    this.#draw();
  }

  /** A line that stays. */
  note(line: string): void {
    if (this.#held !== undefined) {
      this.#held.push(line);
      return;
    }
    this.#clear();
    this.#sink.write(`${line}\n`);
    if (this.#timer !== undefined) this.#draw();
  }

  /** Makes way for other text on the same terminal until that is written in whole; then notes and the line come back. */
  async aside(write: () => Promise<void>): Promise<void> {
    this.#clear();
    const held = (this.#held = []);
    try {
      await write();
    } finally {
      this.#held = undefined;
      for (const line of held) this.note(line);
    }
  }

  end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#clear();
  }

  #draw(): void {
    if (this.#held !== undefined) return;
    const { columns = 0 } = this.#sink;
    const line = oneLine(this.#text(), (columns > 0 ? columns : 80) - 1);
    if (line === this.#drawn) return;
    this.#clear();
    this.#drawn = line;
    this.#sink.write(line);
  }

  #clear(): void {
    if (this.#drawn !== "") this.#sink.write("\r\u001b[2K");
    this.#drawn = "";
  }
}
