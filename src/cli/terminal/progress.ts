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
    this.#clear();
    this.#sink.write(`${line}\n`);
    if (this.#timer !== undefined) this.#draw();
  }

  /** Makes way for other text on the same terminal; the line comes back by itself. */
  hide(): void {
    this.#clear();
  }

  end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#clear();
  }

  #draw(): void {
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
