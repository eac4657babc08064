/** Files of the user's that are the old one or the new one at every moment. */
import { chmodSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** Written beside and renamed. A file that is there keeps its mode, a link stays one; a new file has `newMode`. @throws the file system's own error. */
export function writeWhole(file: string, text: string, newMode: number): void {
  const there = statSync(file, { throwIfNoEntry: false });
  const real = there === undefined ? file : realpathSync(file);
  const beside = join(dirname(real), `.${basename(real)}.${String(process.pid)}.tmp`);
  const mode = there === undefined ? newMode : there.mode & 0o777;
  try {
    rmSync(beside, { force: true }); // a dead process's, or a link that came with somebody's repository
    writeFileSync(beside, text, { mode, flag: "wx" });
    if (there !== undefined) chmodSync(beside, mode); // the umask speaks of new files alone
    renameSync(beside, real);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}
