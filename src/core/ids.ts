/** Identifiers: random, short enough to read aloud, unique without a coordinator. */

/** No i, l, o, u: nothing that is misread or spells a word. */
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

/** A new task id, `task-` and 60 random bits. */
export function newTaskId(): string {
  return `task-${randomText(12)}`;
}

/** A new chain's id, `chain-` and 60 random bits: a chain is a task of its own. */
export function newChainId(): string {
  return `chain-${randomText(12)}`;
}

/** Is this a whole task id, not only the beginning of one? A chain's is one too. */
export function isTaskId(text: string): boolean {
  return /^(task|chain)-[0-9a-z]{12}$/.test(text);
}

/** A new host id, `host-` and 50 random bits. */
export function newHostId(): string {
  return `host-${randomText(10)}`;
}

/** A new run id: a UUID, because it is also the `uuid` of the message that carries the prompt to the CLI. */
export function newRunId(): string {
  return globalThis.crypto.randomUUID();
}

/** A new message id, `msg-` and 64 random bits. */
export function newMessageId(): string {
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(8));
  return `msg-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** A new merge id, `merge-` and 50 random bits. */
export function newMergeId(): string {
  return `merge-${randomText(10)}`;
}

/** A new request's id, `req-` and 50 random bits. */
export function newRequestId(): string {
  return `req-${randomText(10)}`;
}

/** Is this a whole request id? */
export function isRequestId(text: string): boolean {
  return /^req-[0-9a-z]{10}$/.test(text);
}

/** A new permission rule's id, `rule-` and 50 random bits. */
export function newRuleId(): string {
  return `rule-${randomText(10)}`;
}

/** The id of the slot with this number; numbers come from a counter of the pool and are never used twice. */
export function slotId(number: number): string {
  return `slot-${String(number)}`;
}

/** Random bytes are fetched a page at a time: one call for each id is a hundredth of what a task costs. */
const bytes = new Uint8Array(4096);
let used = bytes.length;

function randomText(length: number): string {
  if (used + length > bytes.length) {
    globalThis.crypto.getRandomValues(bytes);
    used = 0;
  }
  let text = "";
  for (const end = used + length; used < end; used += 1) text += alphabet.charAt((bytes[used] ?? 0) & 31);
  return text;
}
