import { globSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

/** Everybody knows these. */
const common = ["HOME", "PATH"];
/** Claude Code's own, which the pool reads to find its transcripts, and the activity log to know its terminal. */
const claudes = ["CLAUDE_CONFIG_DIR", "CLAUDE_CODE_SESSION_ID", "CLAUDE_PROJECT_DIR"];

it("names in docs/configuration.md exactly the environment variables that the code reads", () => {
  const read = globSync("src/**/*.ts").flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(/\benv(?:\.|\[")([A-Z][A-Z_]+)/g)].map((match) => match[1] ?? ""),
  );
  const table = readFileSync("docs/configuration.md", "utf8").split("## Environment")[1] ?? "";
  const named = [...table.matchAll(/^\| (.+?) \|/gm)].flatMap((row) =>
    [...(row[1] ?? "").matchAll(/`([A-Z_]+)`/g)].map((match) => match[1] ?? ""),
  );
  const known = [...common, ...claudes];
  expect(new Set(named)).toEqual(new Set(read.filter((name) => !known.includes(name))));
});
