/** What Claude Code writes to a hook's stdin, within bounds. */
import { fstatSync, readSync } from "node:fs";

/** More than this is no hook's input; it is read on to its end, but not kept. */
const keptBytes = 1024 * 1024;
const readBytes = 512 * keptBytes;
const waitMs = 2_000;

/**
 * The whole of stdin as text, read at once because nothing else is waited for; undefined: it is longer than 1 MiB, or comes from a keyboard.
 *
 * What is too long is read to its end all the same, so that the writer meets no closed pipe.
 */
export function readStdin(): string | undefined {
  if (fstatSync(0).isCharacterDevice()) return undefined; // a keyboard, or /dev/null
  const chunk = Buffer.allocUnsafe(64 * 1024);
  const kept: Buffer[] = [];
  for (let total = 0; total < readBytes;) {
    const count = readSome(chunk);
    if (count === 0) return total > keptBytes ? undefined : Buffer.concat(kept).toString("utf8");
    total += count;
    if (total <= keptBytes) kept.push(Buffer.from(chunk.subarray(0, count)));
  }
  return undefined;
}

/** The number of bytes read; 0 at the end. A pipe that would rather not block is waited for. */
function readSome(chunk: Buffer): number {
  for (const until = performance.now() + waitMs; ;) {
    try {
      return readSync(0, chunk, 0, chunk.length, null);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EOF" || code === "EISDIR" || code === "EBADF") return 0; // closed, or nothing that can be read
      if (code !== "EAGAIN" || performance.now() > until) throw error;
      Atomics.wait(sleeper, 0, 0, 1);
    }
  }
}

const sleeper = new Int32Array(new SharedArrayBuffer(4));
