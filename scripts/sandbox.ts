/** The environment of a program that must touch nothing of this machine's user: own home, no key, no login, no network. */
import { toolEnvironment } from "./run.ts";

/** Only what a program needs of the real environment, with `home` in place of the user's. */
export function sandbox(home: string, extra: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  return {
    PATH: toolEnvironment().PATH ?? "",
    TMPDIR: process.env.TMPDIR ?? "/tmp",
    HOME: home,
    CLAUDE_CONFIG_DIR: `${home}/.claude`,
    CLAUDE_POOL_HOME: `${home}/.claude-pool`,
    NO_COLOR: "1",
    ...extra,
  };
}
