/** Keys to be submitted, in batches: a host that is killed before it has said that it submitted its own gives them back. */
import type { Child } from "../../bench/ground/child.ts";

export class Batches {
  readonly #left: string[][];
  /** One for each host: it has said that it submitted what it was given, or that is back in `#left`. */
  readonly #acknowledgements: Promise<void>[] = [];

  constructor(keys: readonly string[], size: number) {
    const count = Math.ceil(keys.length / size);
    this.#left = Array.from({ length: count }, (_, index) => keys.slice(index * size, (index + 1) * size));
  }

  get left(): number {
    return this.#left.length;
  }

  take(count: number): readonly string[][] {
    return this.#left.splice(0, count);
  }

  /** Follows a host that was given some; resolves to nothing when it says that it is ready, or dies before. */
  follow(child: Child, given: readonly string[][]): Promise<unknown> {
    const ready = child.says();
    // It may or may not have submitted what it did not acknowledge: another one does it again, under the same keys.
    const acknowledged = ready
      .then(() => child.says())
      .then(
        () => undefined,
        () => void this.#left.unshift(...given),
      );
    this.#acknowledgements.push(acknowledged);
    return ready.catch(() => undefined);
  }

  /** Resolves when every killed host's batches are known to be in or back. */
  async settled(): Promise<void> {
    await Promise.all(this.#acknowledgements);
  }
}
