/** Running the CLI in a process namespace of its own, where the machine allows it. */
import { execFile } from "node:child_process";

/** How to start a program so that its death takes everything it started with it. */
export interface Namespace {
  /** The command line around the program. */
  readonly command: string;
  readonly args: readonly string[];
}

/**
 * The namespace that this machine allows; undefined: none.
 *
 * A small shell is the namespace's first process: it collects the orphans that the CLI would leave as zombies, and the
 * kernel ends the whole namespace with it.
 */
export async function probeNamespace(): Promise<Namespace | undefined> {
  if (process.platform !== "linux") return undefined;
  const user = process.getuid?.() === 0 ? [] : ["-U", "--map-current-user"];
  const args = [...user, "-p", "-f", "--kill-child", "--mount-proc", "sh", "-c"];
  const works = await new Promise<boolean>((resolve) => {
    // Inside, the shell must see itself as process 1 in its own /proc.
    execFile("unshare", [...args, 'test "$$" = 1 && test -d /proc/1'], { timeout: 5_000 }, (error) => {
      resolve(error === null);
    });
  });
  return works ? { command: "unshare", args: [...args, '"$@"; exit $?', "claude-pool-init"] } : undefined;
}
