/** A call's own time, for what is no task that one could wait for by its id. */

/** What the work gives, or undefined if it takes longer; then it goes on, and its failure is nobody's here any more. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => late.resolve(undefined), ms);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}
