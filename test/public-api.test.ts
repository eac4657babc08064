import { readFileSync } from "node:fs";
import ts from "typescript";
import { expect, it } from "vitest";

// Every name here is a promise to users: adding one is a decision, and removing one breaks somebody.
it.each(["src/index.ts", "src/testing/index.ts"])("keeps the public names of %s as they were decided", async (file) => {
  const snapshot = `public-api/${file.replaceAll("/", "-").replace(/\.ts$/, ".txt")}`;
  await expect(exportedNames(file).join("\n") + "\n").toMatchFileSnapshot(snapshot);
});

/** Values and types, in alphabetical order. @throws on `export *`, which would make names public that nobody decided on. */
function exportedNames(file: string): readonly string[] {
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest);
  return source.statements
    .filter((statement) => ts.isExportDeclaration(statement))
    .flatMap(({ exportClause, isTypeOnly }) => {
      if (exportClause === undefined || !ts.isNamedExports(exportClause)) throw new Error(`${file} has an export *`);
      return exportClause.elements.map((name) => `${name.name.text}${isTypeOnly || name.isTypeOnly ? " (type)" : ""}`);
    })
    .sort();
}
