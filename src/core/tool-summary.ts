/** A tool call in a few words, for events: the one field that says most. */
export function toolSummary(input: Readonly<Record<string, unknown>> | undefined): string | undefined {
  if (input === undefined) return undefined;
  const telling = ["command", "file_path", "path", "pattern", "url", "query", "description", "skill"];
  const found = telling.map((name) => input[name]).find((value) => typeof value === "string");
  if (found === undefined) return undefined;
  return (found.length <= 200 ? found : `${found.slice(0, 199)}…`).toWellFormed();
}
