/** What the file system says of a call that failed. */
import { PoolError } from "../core/errors.ts";

/** Is this what a call of the file system says of a file that is not there? */
export function isMissing(error: unknown): boolean {
  return codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR";
}

/** Calls the body; what the file system refuses there is told as the pool's own errors are. */
export async function asPoolError<T>(doing: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    const code = codeOf(error);
    if (error instanceof PoolError || code === undefined || !(error instanceof Error)) throw error;
    const isFull = code === "ENOSPC" || code === "EDQUOT";
    const why = isFull ? " The disk is full: free space, then try again." : "";
    const details = { errno: code, ...(isFull ? { diskFull: true } : {}) };
    throw new PoolError("workspace_failed", `${doing} failed.${why} ${error.message}`, details, error);
  }
}

/** The code of an error of the file system. */
function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}
