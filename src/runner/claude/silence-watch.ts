/**
 * Tells when nothing has come for too long. Time in which a tool runs does not count: tools are silent by nature; nor does
 * time in which somebody is waited for.
 */
import type { SDKMessage } from "@anthropic-ai/claude-agent-sdk";
import { blocksOf } from "./messages.ts";

export class SilenceWatch {
  readonly #limitMs: number;
  readonly #silent: () => void;
  readonly #tools = new Set<string>();
  #heardAt = 0;
  #pauses = 0;
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

  /** Somebody else's answer is waited for; the function returned ends that. */
  pause(): () => void {
    this.#pauses += 1;
    return () => {
      this.#pauses -= 1;
      this.#heardAt = performance.now();
    };
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #arm(ms: number): void {
    this.#timer = setTimeout(() => {
      const left =
        this.#tools.size + this.#pauses > 0 ? this.#limitMs : this.#limitMs - (performance.now() - this.#heardAt);
      if (left > 0) this.#arm(left);
      else this.#silent();
    }, ms);
  }
}
