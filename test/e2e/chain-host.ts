/** A process that hosts a chain of five steps until it is killed: gets the pool's options as a message, sends the chain's id. */
import type { OpenPoolOptions } from "../../src/core/api.ts";
import { openPool } from "../../src/open-pool.ts";

process.once("message", (options: OpenPoolOptions) => {
  void host(options);
});

async function host(options: OpenPoolOptions): Promise<void> {
  const pool = await openPool(options);
  const words = ["one", "two", "three", "four", "five"];
  const chain = await pool.submitChain(words.map((word) => ({ name: word, prompt: `step ${word}` })));
  process.send?.(chain.id);
}
