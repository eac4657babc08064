/** Hosts in processes of their own, to be killed or weighed. */
import { fork } from "node:child_process";
import { on, once } from "node:events";
import { fileURLToPath } from "node:url";

export interface Child {
  readonly pid: number;
  /** The next thing it says. @throws if it ends instead. */
  says(): Promise<unknown>;
  tell(message: string): void;
  /** Resolves when it is gone. */
  readonly exited: Promise<unknown>;
  /** `kill -9`. */
  kill(): Promise<void>;
}

/**
 * Starts a program of ours with its one argument as JSON. `folder` stands in its environment, so that it ends with the
 * folder; it should end by itself on `disconnect`, in case this process is killed.
 */
export function startChild(
  program: URL,
  argument: unknown,
  folder: string,
  env: Readonly<Record<string, string>> = {},
): Child {
  const child = fork(fileURLToPath(program), [JSON.stringify(argument)], {
    execArgv: [],
    env: { ...process.env, ...env, CLAUDE_POOL_MEASURED_IN: folder },
  });
  // Gathers from now on, so that nothing said before `says` is lost.
  const messages = on(child, "message");
  const exited = once(child, "exit");
  return {
    pid: child.pid ?? 0,
    exited,
    tell: (message) => child.send(message),
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
