/** Entries as they are written. */
import { watch, type FSWatcher } from "node:fs";
import type { Entry } from "./entry.ts";
import type { LogFolder } from "./place.ts";
import { readLog, readSince } from "./read.ts";

/** Milliseconds after which the file is looked at also where the system reports no changes (network mounts, a folder not made yet). */
const lookMs = 1_000;

/** What comes after now, once each, also over rotation; ends with the signal. */
export async function* followLog(
  folder: LogFolder,
  options: { readonly project?: string; readonly signal?: AbortSignal },
): AsyncGenerator<Entry> {
  const { project, signal } = options;
  const reading = (): Parameters<typeof readLog>[1] => ({
    now: Date.now() / 1000,
    maxBytes: 1024 * 1024,
    expired: true,
    ...(project === undefined ? {} : { project }),
  });
  let { cursor } = readLog(folder, reading());
  const bell = new Bell(folder, signal);
  try {
    while (signal?.aborted !== true) {
      const news = readSince(folder, cursor, reading());
      ({ cursor } = news);
      yield* news.entries;
      if (news.entries.length === 0) await bell.next();
    }
  } finally {
    bell.close();
  }
}

/** Rings when something changes in the folder, after a second in any case, and when it is over. */
class Bell {
  readonly #folder: LogFolder;
  readonly #signal: AbortSignal | undefined;
  #watcher: FSWatcher | undefined;
  #rung = false;
  #wake: () => void = () => undefined;
  readonly #ring = (): void => {
    this.#rung = true;
    this.#wake();
  };

  constructor(folder: LogFolder, signal: AbortSignal | undefined) {
    this.#folder = folder;
    this.#signal = signal;
    signal?.addEventListener("abort", this.#ring, { once: true });
    this.#watch();
  }

  async next(): Promise<void> {
    if (this.#watcher === undefined) this.#watch();
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, lookMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#rung = false;
  }

  close(): void {
    this.#signal?.removeEventListener("abort", this.#ring);
    this.#watcher?.close();
  }

  #watch(): void {
    try {
      this.#watcher = watch(this.#folder.root, this.#ring).on("error", () => {
        this.#watcher?.close();
        this.#watcher = undefined;
      });
    } catch {
      this.#watcher = undefined; // no folder yet, or a system without: the timer does
    }
  }
}
