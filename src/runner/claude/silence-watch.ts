/** Tells when nothing has come for too long. Time in which a tool runs does not count: tools are silent by nature. */
import type { SDKMessage } from "@anthropic-ai/claude-agent-sdk";
import { blocksOf } from "./messages.ts";

export class SilenceWatch {
  readonly #limitMs: number;
  readonly #silent: () => void;
  readonly #tools = new Set<string>();
  #heardAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(limitMs: number, silent: () => void) {
    this.#limitMs = limitMs;
    this.#silent = silent;
  }

  start(): void {
    this.#heardAt = performance.now();
    this.#arm(this.#limitMs);
  }

  /** Any message is life, an announced retry too. */
  heard(message: SDKMessage): void {
    this.#heardAt = performance.now();
    if (message.type !== "assistant" && message.type !== "user") return;
    for (const block of blocksOf(message.message)) {
      if (block.type === "tool_use" && block.id !== undefined) this.#tools.add(block.id);
      if (block.type === "tool_result" && block.toolUseId !== undefined) this.#tools.delete(block.toolUseId);
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #arm(ms: number): void {
    this.#timer = setTimeout(() => {
      const left = this.#tools.size > 0 ? this.#limitMs : this.#limitMs - (performance.now() - this.#heardAt);
      if (left > 0) this.#arm(left);
      else this.#silent();
    }, ms);
  }
}
