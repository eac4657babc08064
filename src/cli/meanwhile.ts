/** Work, and what is followed as long as it takes: events of the pool, of which something is told. */

/** Does the work; `follow` ends when its signal says that this is done. What was wrong with the following is thrown then, not before. */
export async function meanwhile<T>(follow: (over: AbortSignal) => Promise<void>, work: () => Promise<T>): Promise<T> {
  const over = new AbortController();
  const following = follow(over.signal);
  following.catch(() => undefined); // it is thrown below, where it is waited for
  try {
    return await work();
  } finally {
    over.abort();
    await following;
  }
}
