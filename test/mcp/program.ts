/** How a test starts `claude-pool` as a child: from the sources, without a build. */
const entry = new URL("../../src/cli/main.ts", import.meta.url).href;

export function programArgs(...argv: readonly string[]): { readonly command: string; readonly args: string[] } {
  const code = `import { main } from ${JSON.stringify(entry)}; process.exitCode = await main(process.argv.slice(1));`;
  return { command: process.execPath, args: ["--input-type=module", "-e", code, "--", ...argv] };
}
