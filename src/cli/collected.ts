/** An option that may be given again: its values in their order. */
export function collected(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
