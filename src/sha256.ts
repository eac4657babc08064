/**
 * SHA-256 of a short text, without `node:crypto`: to load that and to make its first hash takes a quarter of the time that a hook may take at all.
 *
 * Only for names (projects, sessions, entries): nothing secret depends on it.
 */

/** 64 hex digits. */
export function sha256Hex(text: string): string {
  const state = Int32Array.from(initial);
  const bytes = padded(new TextEncoder().encode(text));
  const words = new DataView(bytes.buffer);
  const schedule = new Int32Array(64);
  for (let at = 0; at < bytes.length; at += 64) {
    for (let i = 0; i < 16; i += 1) schedule[i] = words.getInt32(at + i * 4);
    for (let i = 16; i < 64; i += 1) {
      schedule[i] =
        word(schedule, i - 16) + small0(word(schedule, i - 15)) + word(schedule, i - 7) + small1(word(schedule, i - 2));
    }
    mix(state, schedule);
  }
  return Array.from(state, (part) => (part >>> 0).toString(16).padStart(8, "0")).join("");
}

function mix(state: Int32Array, schedule: Int32Array): void {
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let i = 0; i < 64; i += 1) {
    const one = (h + big1(e) + ((e & f) ^ (~e & g)) + word(constants, i) + word(schedule, i)) | 0;
    const two = (big0(a) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((value, index) => (state[index] = word(state, index) + value));
}

/** The text, a 1 bit, zeros, and its length in bits as the last eight bytes. */
function padded(text: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Math.ceil((text.length + 9) / 64) * 64);
  bytes.set(text);
  bytes[text.length] = 0x80;
  new DataView(bytes.buffer).setBigUint64(bytes.length - 8, BigInt(text.length) * 8n);
  return bytes;
}

const turn = (x: number, by: number): number => (x >>> by) | (x << (32 - by));
const small0 = (x: number): number => turn(x, 7) ^ turn(x, 18) ^ (x >>> 3);
const small1 = (x: number): number => turn(x, 17) ^ turn(x, 19) ^ (x >>> 10);
const big0 = (x: number): number => turn(x, 2) ^ turn(x, 13) ^ turn(x, 22);
const big1 = (x: number): number => turn(x, 6) ^ turn(x, 11) ^ turn(x, 25);
const word = (words: Int32Array, at: number): number => words[at] ?? 0;

/** The first 32 bits of the fractions of the square roots of the first 8 primes, and of the cube roots of the first 64. */
const initial = primes(8).map((prime) => fraction(Math.sqrt(prime)));
const constants = Int32Array.from(primes(64), (prime) => fraction(Math.cbrt(prime)));

function fraction(root: number): number {
  return ((root - Math.floor(root)) * 0x1_0000_0000) | 0;
}

function primes(count: number): readonly number[] {
  const found: number[] = [];
  for (let n = 2; found.length < count; n += 1) if (found.every((prime) => n % prime !== 0)) found.push(n);
  return found;
}
