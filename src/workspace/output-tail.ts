/** The end of what a command prints, however much that is. */

/** The most that is kept, in bytes. */
const maxOutputBytes = 65_536;

/** Collects output and keeps its end. */
export function outputTail(max = maxOutputBytes): {
  readonly add: (data: Buffer) => void;
  readonly text: () => string;
} {
  const chunks: Buffer[] = [];
  let held = 0;
  let printed = 0;
  return {
    add(data) {
      chunks.push(data);
      held += data.length;
      printed += data.length;
      for (let first = chunks[0]; first !== undefined && held - first.length >= max; first = chunks[0]) {
        chunks.shift();
        held -= first.length;
      }
    },
    text() {
      const all = Buffer.concat(chunks);
      if (printed <= max) return all.toString();
      let start = all.length - max;
      // Not in the middle of a character: its later bytes are 10xxxxxx.
      while (start < all.length && ((all[start] ?? 0) & 0xc0) === 0x80) start++;
      return `[cut: the first ${String(printed - (all.length - start))} bytes]\n${all.subarray(start).toString()}`;
    },
  };
}
