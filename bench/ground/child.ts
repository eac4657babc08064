/** Hosts in processes of their own, to be killed or weighed. */
import { fork } from "node:child_process";
import { on, once } from "node:events";
import { fileURLToPath } from "node:url";

export interface Child {
  /** The next thing it says. @throws if it ends instead. */
  says(): Promise<unknown>;
  /** `kill -9`; resolves when it is gone. */
  kill(): Promise<void>;
}

/**
 * Starts a program of ours, a URL relative to the caller's, with its one argument as JSON. `folder` stands in its
 * environment, so that it ends with the folder.
 */
export function startChild(program: URL, argument: unknown, folder: string): Child {
  const child = fork(fileURLToPath(program), [JSON.stringify(argument)], {
    execArgv: [],
    env: { ...process.env, CLAUDE_POOL_MEASURED_IN: folder },
  });
  // Gathers from now on, so that nothing said before `says` is lost.
  const messages = on(child, "message");
  const exited = once(child, "exit");
  return {
    async says() {
      const ended = exited.then(() => {
        throw new Error(`${program.href} ended before it said what it should`);
      });
      const { value } = await Promise.race([messages.next(), ended]);
      return (value as readonly unknown[])[0];
    },
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
