import { globSync, readFileSync } from "node:fs";
import { join, normalize } from "node:path";
import { expect, it } from "vitest";
import { rooms } from "../scripts/rooms.ts";

it("lets every room import only what the table of rooms allows", () => {
  const files = globSync("src/**/*.ts");
  expect(files.length).toBeGreaterThan(0);
  expect(
    files.flatMap((file) =>
      importsOf(file)
        .filter((name) => !allowed(file, name))
        .map((name) => `${file}: ${name}`),
    ),
  ).toEqual([]);
});

function allowed(file: string, imported: string): boolean {
  const room = rooms[roomOf(file)];
  if (room === undefined) return false;
  if (imported.startsWith("node:")) return room.builtins;
  if (!imported.startsWith("."))
    return room.packages.some((name) => imported === name || imported.startsWith(`${name}/`));
  const target = roomOf(normalize(join(file, "..", imported)));
  return target === roomOf(file) || room.rooms.includes(target);
}

/** The first folder below src/; of the files that stand there by themselves, all but two are parts of pool.ts. */
function roomOf(file: string): string {
  const [, first = "", below] = file.split(/[/\\]/);
  return below !== undefined || first in rooms ? first : "pool.ts";
}

/** `from "x"`, `import "x"` and `import("x")`, of values and of types; `Buffer.from("x")` is none. */
function importsOf(file: string): readonly string[] {
  const code = readFileSync(file, "utf8").replace(/^\s*(\*|\/\/|\/\*).*$/gm, "");
  return [...code.matchAll(/(?:(?<!\.)\bfrom|\bimport)\s*\(?\s*"([^"]+)"/g)].map((match) => match[1] ?? "");
}
