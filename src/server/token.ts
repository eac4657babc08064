/** What a token must be; apart from the server, which only those calls load that serve. */
import { invalidOptions } from "../core/errors.ts";

/** A shorter one could be guessed. */
const shortestToken = 16;

/** @throws {PoolError} `invalid_options`, naming where the token comes from. */
export function checkToken(token: string, origin: string): void {
  if (/^[\x21-\x7e]+$/.test(token) && token.length >= shortestToken) return;
  throw invalidOptions(
    `${origin}: a token must have at least ${String(shortestToken)} characters, letters, digits and signs without spaces. \`openssl rand -hex 32\` makes one.`,
    origin,
  );
}
