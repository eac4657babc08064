import { readFileSync } from "node:fs";

/** Of the package, as the server names itself. */
export const version = packageVersion();

function packageVersion(): string {
  const file = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(file) as { readonly version: string }).version;
}
