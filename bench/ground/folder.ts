/** A temporary folder, and the end of everything that was started in it. */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endProcessesOf } from "./leftovers.ts";

const open = new Set<string>();

process.once("exit", () => {
  for (const folder of open) {
    endProcessesOf(folder);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
});
for (const [name, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const) {
  process.once(name, () => process.exit(code));
}

/** Runs the body with a new folder; whatever happens, the folder and every process whose environment names it are gone afterwards. */
export async function withFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "claude-pool-measure-")));
  open.add(folder);
  try {
    return await body(folder);
  } finally {
    endProcessesOf(folder);
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    open.delete(folder);
  }
}
