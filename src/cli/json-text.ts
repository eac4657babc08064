/** Changes one member of a JSON text and leaves every other character of it as it is. */

/** A member of an object in a text: where its key begins, and where its value lies. */
interface Member {
  readonly key: string;
  readonly start: number;
  readonly valueStart: number;
  readonly end: number;
}

/**
 * Sets the member at this path; what is missing on the way is made. The text must be JSON, an object.
 *
 * @example setMember('{ "a": 1 }', ["b", "c"], 2) // '{ "a": 1, "b": {"c": 2} }', on lines of its own where the text has lines
 */
export function setMember(text: string, path: readonly string[], value: unknown): string {
  return setIn(text, skipSpace(text, 0), path, value);
}

/** Removes the member at this path, with the comma that stood by it; a text without it stays. */
export function removeMember(text: string, path: readonly string[]): string {
  let at = skipSpace(text, 0);
  for (const [depth, key] of path.entries()) {
    const members = membersAt(text, at);
    const index = members.findIndex((member) => member.key === key);
    const member = members[index];
    if (member === undefined) return text;
    if (depth < path.length - 1) {
      at = member.valueStart;
      continue;
    }
    const [before, after] = [members[index - 1], members[index + 1]];
    if (before !== undefined) return text.slice(0, before.end) + text.slice(member.end);
    if (after !== undefined) return text.slice(0, member.start) + text.slice(after.start);
    return `${text.slice(0, at + 1)}${text.slice(skipSpace(text, member.end))}`;
  }
  return text;
}

function setIn(text: string, at: number, path: readonly string[], value: unknown): string {
  const [key = "", ...rest] = path;
  const members = membersAt(text, at);
  const member = members.find((one) => one.key === key);
  if (member !== undefined && rest.length > 0) return setIn(text, member.valueStart, rest, value);
  const unit = unitOf(text);
  const depth = depthOf(text, at);
  const whole = rest.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
  const written = JSON.stringify(whole, undefined, unit).replaceAll("\n", `\n${unit.repeat(depth + 1)}`);
  if (member !== undefined) return text.slice(0, member.valueStart) + written + text.slice(member.end);
  const entry = `\n${unit.repeat(depth + 1)}${JSON.stringify(key)}: ${written}`;
  const last = members.at(-1);
  if (last !== undefined) return `${text.slice(0, last.end)},${entry}${text.slice(last.end)}`;
  return `${text.slice(0, at + 1)}${entry}\n${unit.repeat(depth)}${text.slice(skipSpace(text, at + 1))}`;
}

/** What one level is indented by, as the text has it. */
function unitOf(text: string): string {
  return /\n([ \t]+)"/.exec(text)?.[1] ?? "  ";
}

/** How many objects and lists are open before this place. */
function depthOf(text: string, at: number): number {
  let depth = 0;
  for (let index = 0; index < at; index += 1) {
    const character = text[index];
    if (character === '"') index = endOfText(text, index) - 1;
    else if (character === "{" || character === "[") depth += 1;
    else if (character === "}" || character === "]") depth -= 1;
  }
  return depth;
}

function membersAt(text: string, at: number): readonly Member[] {
  const members: Member[] = [];
  let index = skipSpace(text, at + 1);
  while (text[index] === '"') {
    const keyEnd = endOfText(text, index);
    const valueStart = skipSpace(text, skipSpace(text, keyEnd) + 1);
    const end = endOfValue(text, valueStart);
    members.push({ key: JSON.parse(text.slice(index, keyEnd)) as string, start: index, valueStart, end });
    const comma = skipSpace(text, end);
    index = text[comma] === "," ? skipSpace(text, comma + 1) : comma;
  }
  return members;
}

function endOfValue(text: string, start: number): number {
  const first = text[start];
  if (first === '"') return endOfText(text, start);
  if (first !== "{" && first !== "[") {
    const rest = /^[^\s,\]}]+/.exec(text.slice(start));
    return start + (rest?.[0].length ?? 0);
  }
  const outside = depthOf(text, start);
  let index = start + 1;
  for (let depth = outside + 1; depth > outside; index += 1) {
    const character = text[index];
    if (character === '"') index = endOfText(text, index) - 1;
    else if (character === "{" || character === "[") depth += 1;
    else if (character === "}" || character === "]") depth -= 1;
  }
  return index;
}

/** Just past the quote that ends the text which begins here. */
function endOfText(text: string, start: number): number {
  let index = start + 1;
  while (text[index] !== '"') index += text[index] === "\\" ? 2 : 1;
  return index + 1;
}

function skipSpace(text: string, from: number): number {
  let index = from;
  while (/\s/.test(text[index] ?? "")) index += 1;
  return index;
}
