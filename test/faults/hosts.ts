/**
 * Hosts that are killed one after the other over the work that they submitted; the last two finish it. One is always booted
 * ahead, so that no kill waits for a program to start: it opens its pool when it is told its keys.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { Child } from "../../bench/ground/child.ts";
import type { Batches } from "./batches.ts";
import type { Random } from "./random.ts";

/** So many are killed at any moment while they open, which takes about so long; the others later. */
const killedOpening = 0.2;
const longestOpeningMs = 400;

export interface HostsOptions {
  readonly random: Random;
  readonly batches: Batches;
  /** Starts the program of the host with this number, from 1. */
  readonly boot: (number: number) => Child;
  /** From when a host is ready until it is to be killed. */
  readonly live: (host: Child) => Promise<unknown>;
}

export class Hosts {
  readonly #options: HostsOptions;
  /** Each with when it is ready, or dead before. */
  readonly #alive = new Map<Child, Promise<unknown>>();
  #next: Child | undefined;
  #booted = 0;

  constructor(options: HostsOptions) {
    this.#options = options;
  }

  /** Sometimes one works alone, and sometimes two side by side; the older one dies. */
  async killAll(kills: number): Promise<void> {
    const { random, live } = this.#options;
    for (let kill = 0; kill < kills; kill += 1) {
      const atOnce = 1 + (Math.floor(kill / 10) % 2);
      while (this.#alive.size < atOnce) this.#start(1);
      const [[victim, ready] = []] = this.#alive;
      if (victim === undefined || ready === undefined) throw new Error("no host to kill");
      if (random.chance(killedOpening)) await pause(random.next() * longestOpeningMs);
      else await ready.then(() => live(victim));
      this.#alive.delete(victim);
      await victim.kill();
    }
  }

  /** Two hosts work until everything is done, and close as they should. */
  async finish(done: () => Promise<unknown>): Promise<void> {
    const { batches } = this.#options;
    for (const child of this.#alive.keys()) await child.kill();
    this.#alive.clear();
    await batches.settled();
    const last = [this.#start(batches.left), this.#start(0)];
    await done();
    for (const child of last) child.tell("close");
    await Promise.all([...last.map((child) => child.exited), this.#next?.kill()]);
  }

  #start(count: number): Child {
    const { batches } = this.#options;
    const child = this.#next ?? this.#boot();
    this.#next = this.#boot();
    const given = batches.take(count);
    child.tell(JSON.stringify(given.flat()));
    this.#alive.set(child, batches.follow(child, given));
    return child;
  }

  #boot(): Child {
    this.#booted += 1;
    return this.#options.boot(this.#booted);
  }
}
