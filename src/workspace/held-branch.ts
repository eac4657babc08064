/**
 * A branch that is held where it stands until it is moved or let go: git's own lock, taken before anything else is changed.
 *
 * H1. While it is held no other git moves it, and a commit that somebody is making on it in a checkout is refused.
 * H2. Git lets go by itself when the process that holds is gone, killed or not.
 */
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { PoolError } from "../core/errors.ts";
import { startGit } from "./git.ts";
import { durable } from "./merge-trees.ts";

export interface BranchMove {
  /** The git common directory. */
  readonly repository: string;
  /** Its short name. */
  readonly branch: string;
  readonly from: string;
  readonly to: string;
  /** For the reflog. */
  readonly reason: string;
}

export interface HeldBranch {
  /** Moves it. */
  move(): Promise<void>;
  /** Leaves it where it is. */
  letGo(): Promise<void>;
}

/** Undefined: it does not stand at `from`. @throws {PoolError} `repository_locked`, `workspace_failed`, `aborted`. */
export async function holdBranch(move: BranchMove, signal?: AbortSignal): Promise<HeldBranch | undefined> {
  const patience = performance.now() + lockWaitMs;
  for (let pause = 20; ; pause = Math.min(pause * 2, 1_000)) {
    if (signal?.aborted === true) throw aborted(signal.reason);
    const git = new Talk(move.repository, move.reason);
    const said = await git.say(
      `start\0update refs/heads/${move.branch}\0${move.to}\0${move.from}\0prepare\0`,
      "prepare: ok",
    );
    if (said === undefined) return held(git);
    await git.over();
    const [, lock] = /Unable to create '(.+\.lock)': File exists/.exec(said) ?? [];
    if (lock === undefined) {
      if (/is at [0-9a-f]+ but expected|unable to resolve reference|reference is missing/.test(said)) return undefined;
      throw new PoolError("workspace_failed", `Git does not let ${move.branch} be moved. It said: ${said.trim()}`);
    }
    if (performance.now() + pause > patience) throw locked(move.branch, lock);
    try {
      await delay(pause * (0.5 + Math.random()), undefined, { signal });
    } catch (error) {
      throw aborted(error);
    }
  }
}

/** As long as other calls wait for a lock. */
const lockWaitMs = 15_000;
/** The longest one answer may take. */
const answerMs = 60_000;

function held(git: Talk): HeldBranch {
  return {
    async move() {
      const said = await git.say("commit\0", "commit: ok");
      await git.over();
      if (said !== undefined) throw new PoolError("workspace_failed", `Git could not move the branch: ${said.trim()}`);
    },
    async letGo() {
      await git.over();
    },
  };
}

/** One `git update-ref --stdin`; with the end of its input it lets go of what was not committed. */
class Talk {
  readonly #git: ChildProcessWithoutNullStreams;
  readonly #closed: Promise<void>;
  #said = "";
  #complained = "";

  constructor(repository: string, reason: string) {
    this.#git = startGit([...durable, "update-ref", "-m", reason, "--stdin", "-z"], { cwd: repository });
    this.#git.stdout.on("data", (data: Buffer) => (this.#said += data.toString()));
    this.#git.stderr.on("data", (data: Buffer) => (this.#complained += data.toString()));
    this.#git.stdin.on("error", () => undefined); // it ended first, and says why on stderr
    this.#git.on("error", (error) => (this.#complained += error.message));
    this.#closed = new Promise((resolve) => {
      this.#git.on("close", () => {
        resolve();
      });
    });
  }

  /** Undefined when it answered as expected, else what it complained of. */
  async say(words: string, expected: string): Promise<string | undefined> {
    const answered = Promise.withResolvers<undefined>();
    const look = (): void => {
      if (this.#said.includes(`${expected}\n`)) answered.resolve(undefined);
    };
    this.#git.stdout.on("data", look);
    const timer = setTimeout(() => this.#git.kill("SIGTERM"), answerMs);
    this.#git.stdin.write(words);
    await Promise.race([answered.promise, this.#closed]);
    clearTimeout(timer);
    this.#git.stdout.off("data", look);
    return this.#said.includes(`${expected}\n`) ? undefined : this.#complained;
  }

  async over(): Promise<void> {
    this.#git.stdin.end();
    await this.#closed;
  }
}

function locked(branch: string, lock: string): PoolError {
  return new PoolError(
    "repository_locked",
    `${branch} could not be moved: another git process holds ${lock}. Wait for it; if no git process runs, remove that file.`,
    { lock },
  );
}

function aborted(cause: unknown): PoolError {
  return new PoolError("aborted", "Moving a branch was aborted.", {}, cause);
}
