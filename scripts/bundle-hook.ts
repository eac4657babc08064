/**
 * Bundles the hook program into the one file that the plugin ships: a plugin is installed from git, without npm.
 *
 * `node scripts/bundle-hook.ts` writes plugin/hooks/program.cjs; a test bundles anew and compares.
 */
import { fileURLToPath } from "node:url";
import { rolldown, type Plugin } from "rolldown";

export const hookBundle = fileURLToPath(new URL("../plugin/hooks/program.cjs", import.meta.url));

const banner = `// The hook program of claude-pool, bundled from src/hooks by scripts/bundle-hook.ts. Do not edit.`;

/** Writes the bundle to a file. */
export async function bundleHook(file: string): Promise<void> {
  const bundle = await rolldown({
    input: fileURLToPath(new URL("../src/hooks/program.ts", import.meta.url)),
    platform: "node",
    transform: { target: "node20" },
    plugins: [late],
  });
  await bundle.write({ file, format: "cjs", banner, comments: false, codeSplitting: false });
  await bundle.close();
}

/** What takes a tenth of the hook's whole time to load, and is hardly ever needed: it is loaded when it is called. */
const lateOnes: Readonly<Record<string, readonly string[]>> = {
  "node:child_process": ["execFileSync"],
};

const late: Plugin = {
  name: "late",
  resolveId: (id, importer) => {
    if (!(id in lateOnes)) return undefined;
    return importer?.startsWith("\0late ") === true ? { id, external: true } : `\0late ${id}`;
  },
  load: (id) => {
    const name = id.replace("\0late ", "");
    const wrapped = lateOnes[name]?.map(
      (one) => `export const ${one} = (...args) => require("${name}").${one}(...args);`,
    );
    return wrapped?.join("\n");
  },
};

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundleHook(hookBundle);
