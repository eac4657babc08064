/**
 * Git as the pool runs it: its own plumbing, which nothing of the user's may stop, slow down or take part in.
 *
 * V1. No variable of the environment chooses the repository, the index or the configuration of a call (a hook that started
 *     us leaves such ones); what says who the user is and where his settings lie stays.
 * V2. No hook runs, nothing is signed, no garbage is collected, no daemon is started, nothing is asked.
 * V3. Every call has a time limit, can be aborted, and what it prints is bounded.
 * V4. A lock that another git holds is waited for; `repository_locked` names the lock file that stayed.
 * V5. Paths are never patterns, and the answers that hold paths are read separated by NUL.
 */
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { PoolError } from "../core/errors.ts";

export interface GitCall {
  readonly cwd: string;
  readonly signal?: AbortSignal | undefined;
  /** In milliseconds; default two minutes. */
  readonly timeoutMs?: number;
  readonly input?: string | Uint8Array;
  /** Above what V1 leaves; `GIT_INDEX_FILE` belongs here. */
  readonly env?: Readonly<Record<string, string>>;
  /** Exit codes that are answers, beside 0. */
  readonly answers?: readonly number[];
  /** The most it may print, in bytes; more is a failure. Default 256 MB. */
  readonly maxBytes?: number;
  /** How long a lock of another git process is waited for, in milliseconds; default 15,000. */
  readonly lockWaitMs?: number;
}

export interface GitAnswer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs git. @throws {PoolError} `workspace_failed` with the end of its stderr, `repository_locked`, `aborted`. */
export async function git(args: readonly string[], call: GitCall): Promise<GitAnswer> {
  const { code, stdout, stderr } = await gitBytes(args, call);
  return { code, stdout: decoder.decode(stdout), stderr };
}

/** What git printed, without the newline at its end. @throws {PoolError} as {@link git}. */
export async function gitText(args: readonly string[], call: GitCall): Promise<string> {
  return (await git(args, call)).stdout.replace(/\n$/, "");
}

/** The records that git printed, each ended by NUL (`-z`). @throws {PoolError} as {@link git}. */
export async function gitList(args: readonly string[], call: GitCall): Promise<readonly string[]> {
  const { stdout } = await git(args, call);
  return stdout.split("\0").filter((record) => record !== "");
}

/** As {@link git}, with what it printed byte for byte. @throws {PoolError} as {@link git}. */
export async function gitBytes(
  args: readonly string[],
  call: GitCall,
): Promise<{ readonly code: number; readonly stdout: Uint8Array; readonly stderr: string }> {
  const patience = performance.now() + (call.lockWaitMs ?? 15_000);
  for (let pause = 20; ; pause = Math.min(pause * 2, 1_000)) {
    const end = await once(args, call);
    if (end.code === 0 || call.answers?.includes(end.code) === true) return end;
    const lock = lockIn(end.stderr);
    if (lock === undefined) throw failure(args, call, end);
    if (performance.now() + pause > patience) throw locked(args, call, lock);
    try {
      // Spread out, so that those who wait for one lock do not come back together.
      await delay(pause * (0.5 + Math.random()), undefined, { signal: call.signal });
    } catch (error) {
      throw aborted(args, error);
    }
  }
}

/** Starts a git that is talked with while it runs; V3 is for who talks with it. */
export function startGit(args: readonly string[], call: Pick<GitCall, "cwd" | "env">): ChildProcessWithoutNullStreams {
  return spawn("git", [...settings, ...args], { cwd: call.cwd, env: environment(call.env), stdio: "pipe" });
}

/**
 * The arguments that give a commit an author and a committer where the user has configured none; to be put before the
 * command: `git([...(await identity(call)), "commit-tree", …], call)`.
 */
export async function identity(call: GitCall): Promise<readonly string[]> {
  const keys = "^(user|author|committer)\\.(name|email)$";
  const { stdout } = await git(["config", "-z", "--get-regexp", keys], { ...call, answers: [1] });
  const has = (key: string): boolean => stdout.split("\0").some((line) => line.startsWith(`${key}\n`));
  const name = has("user.name") ? [] : ["-c", "user.name=claude-pool"];
  const email = has("user.email") ? [] : ["-c", "user.email=claude-pool@localhost"];
  return [...name, ...email];
}

const decoder = new TextDecoder();

/** V2: in front of every command. */
const settings = [
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "gc.auto=0",
  "maintenance.auto=false",
  "commit.gpgSign=false",
  "tag.gpgSign=false",
  "submodule.recurse=false",
  "advice.detachedHead=false",
].flatMap((setting) => ["-c", setting]);

/** V1: what stays of the user's own `GIT_…` variables. */
const kept =
  /^GIT_(CONFIG_(GLOBAL|SYSTEM|NOSYSTEM)|(AUTHOR|COMMITTER)_(NAME|EMAIL)|SSH(_COMMAND|_VARIANT)?|SSL_.*|LFS_.*)$/;

function environment(more: GitCall["env"]): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_") || kept.test(name));
  return {
    ...Object.fromEntries(inherited),
    LC_ALL: "C",
    LANGUAGE: "C",
    GIT_TERMINAL_PROMPT: "0",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_LITERAL_PATHSPECS: "1",
    GIT_EDITOR: "true",
    GIT_MERGE_AUTOEDIT: "no",
    ...more,
  };
}

interface End {
  readonly code: number;
  readonly stdout: Uint8Array;
  readonly stderr: string;
}

async function once(args: readonly string[], call: GitCall): Promise<End> {
  // Loaded with the first call: most commands of the program never ask git anything.
  const { execa } = await import("execa");
  const timeout = call.timeoutMs ?? 120_000;
  const result = await execa("git", [...settings, ...args], {
    cwd: call.cwd,
    env: environment(call.env),
    extendEnv: false,
    encoding: "buffer",
    stripFinalNewline: false,
    reject: false,
    timeout,
    maxBuffer: call.maxBytes ?? 256_000_000,
    ...(call.input === undefined ? { stdin: "ignore" as const } : { input: call.input }),
    ...(call.signal === undefined ? {} : { cancelSignal: call.signal }),
  });
  if (result.isCanceled) throw aborted(args, call.signal?.reason);
  const stderr = decoder.decode(result.stderr);
  if (result.timedOut) {
    throw new PoolError(
      "workspace_failed",
      `git ${commandOf(args)} in ${call.cwd} took longer than ${String(timeout / 1_000)} s and was ended.${said(stderr)}`,
    );
  }
  if (result.exitCode === undefined || result.isMaxBuffer) throw unrunnable(args, call, result, stderr);
  return { code: result.exitCode, stdout: result.stdout, stderr };
}

/** It never started, was killed, or printed too much. */
function unrunnable(
  args: readonly string[],
  call: GitCall,
  result: {
    readonly code?: string | undefined;
    readonly signal?: string | undefined;
    readonly shortMessage?: string | undefined;
  },
  stderr: string,
): PoolError {
  const what =
    result.code === "ENOENT"
      ? "could not be started: git is not installed, or the directory is not there"
      : (result.shortMessage ?? `was ended by ${result.signal ?? "something"}`);
  return new PoolError(
    "workspace_failed",
    `git ${commandOf(args)} in ${call.cwd}: ${what}.${said(stderr)}`,
    result.signal === undefined ? {} : { signal: result.signal },
    result instanceof Error ? result : undefined,
  );
}

function failure(args: readonly string[], call: GitCall, end: End): PoolError {
  const full = /No space left on device|Disk quota exceeded/.test(end.stderr);
  const why = full ? " The disk is full: free space, then try again." : "";
  return new PoolError(
    "workspace_failed",
    `git ${commandOf(args)} failed in ${call.cwd} with code ${String(end.code)}.${why}${said(end.stderr)}`,
    { exitCode: end.code, stderr: tail(end.stderr), ...(full ? { diskFull: true } : {}) },
  );
}

function locked(args: readonly string[], call: GitCall, lock: string): PoolError {
  return new PoolError(
    "repository_locked",
    `git ${commandOf(args)} in ${call.cwd} could not begin: another git process holds ${lock}. ` +
      "Wait for it; if no git process runs, remove that file.",
    { lock },
  );
}

function aborted(args: readonly string[], cause: unknown): PoolError {
  return new PoolError("aborted", `git ${commandOf(args)} was aborted.`, {}, cause);
}

/** The lock file that a git process stumbled over; undefined: that was not why it failed. */
function lockIn(stderr: string): string | undefined {
  // No lock, but the same: another git is registering a worktree, and until it has written this file, or another HEAD than
  // zeros, every git that looks at all worktrees fails.
  const [, half] = /(?:failed to read|bad object) (.*worktrees\/[^/]+\/(?:commondir|HEAD|gitdir))/.exec(stderr) ?? [];
  if (half !== undefined) return half;
  const [, file] = /Unable to create '(.+\.lock)': File exists/.exec(stderr) ?? [];
  if (file !== undefined) return file;
  const [, config] = /could not lock config file (.+): File exists/.exec(stderr) ?? [];
  return config === undefined ? undefined : `${config}.lock`;
}

function commandOf(args: readonly string[]): string {
  let at = 0;
  while (args[at] === "-c" || args[at] === "-C") at += 2;
  const rest = args.slice(at);
  return rest[0] === "worktree" || rest[0] === "stash" ? rest.slice(0, 2).join(" ") : (rest[0] ?? "");
}

function said(stderr: string): string {
  const text = tail(stderr).trim();
  return text === "" ? "" : ` It said: ${text}`;
}

function tail(stderr: string): string {
  return stderr.length <= 2_000 ? stderr : `…${stderr.slice(-2_000)}`;
}
