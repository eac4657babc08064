/** A folder with nothing in it, for the pool's own questions: no project's files or instructions reach them. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** Made when it is first asked for. */
export class NeutralFolder {
  readonly #store: string;
  #path: string | undefined;

  constructor(store: string) {
    this.#store = store;
  }

  /** Beside the store, so that it is the user's own; a store in memory has one of its own until the pool closes. */
  get path(): string {
    this.#path ??= this.#isInMemory ? mkdtempSync(join(tmpdir(), "claude-pool-neutral-")) : this.#besideStore();
    return this.#path;
  }

  remove(): void {
    if (this.#path !== undefined && this.#isInMemory) rmSync(this.#path, { recursive: true, force: true });
  }

  get #isInMemory(): boolean {
    return this.#store === ":memory:";
  }

  #besideStore(): string {
    const path = join(dirname(this.#store), "neutral");
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return path;
  }
}
