/** Text of a running task, as events: batched, so that a fast answer does not become a transaction a word, and bounded. */
import type { NewEvent } from "../core/events.ts";
import type { EngineParts } from "./parts.ts";

const batchMs = 100;
/** The most text of one run that the log keeps, in characters; the result itself is whole. */
const maxOutputCharacters = 256_000;

export class OutputLog {
  #pending = "";
  #written = 0;
  #cancelTimer: (() => void) | undefined;
  readonly #parts: EngineParts;
  readonly #of: { readonly taskId: string; readonly slotId: string; readonly runId: string };

  constructor(parts: EngineParts, of: { readonly taskId: string; readonly slotId: string; readonly runId: string }) {
    this.#parts = parts;
    this.#of = of;
  }

  text(text: string): void {
    this.#pending += text;
    this.#cancelTimer ??= this.#parts.clock.after(batchMs, () => {
      this.flush();
    });
  }

  tool(tool: string, summary: string | undefined): void {
    this.flush();
    const { taskId, slotId, runId } = this.#of;
    this.#append({
      type: "task.tool",
      taskId,
      slotId,
      data: { runId, tool, ...(summary === undefined ? {} : { summary }) },
    });
  }

  /** Writes what is left; called at the end of the run, before its commit, so that the log is in order. */
  flush(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const text = this.#pending;
    this.#pending = "";
    if (text === "" || this.#written > maxOutputCharacters) return;
    this.#written += text.length;
    const { taskId, slotId, runId } = this.#of;
    const data =
      this.#written > maxOutputCharacters
        ? { runId, text: text.slice(0, text.length - (this.#written - maxOutputCharacters)), truncated: true }
        : { runId, text };
    this.#append({ type: "task.output", taskId, slotId, data });
  }

  #append(event: NewEvent): void {
    this.#parts.records.append([event]).catch(this.#parts.report);
  }
}
