/**
 * Text of a model as a person may judge it: nothing of it moves the cursor, hides or turns round, and nothing is left out.
 *
 * Control and format characters (those that turn the direction of writing among them) are shown as escapes.
 */
export function harmless(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/gu, (character) => {
    if (character === "\n") return character;
    const code = character.codePointAt(0) ?? 0;
    return character === "\t" ? "  " : `\\u{${code.toString(16)}}`;
  });
}
