/**
 * Checks: commands whose success on a tree is the evidence that it is good.
 *
 * E1. The directory holds exactly the judged tree before a check begins; if not, the check does not run and has not passed.
 * E2. What a check leaves in files that git does not ignore is put back. A file that it only added says nothing about the
 *     work; but if a file of the work itself changed meanwhile, by the check or by somebody else, then it was not the judged
 *     tree that passed: the evidence is void, and what was put back stays on a ref of its own (it may be somebody's edit).
 * E3. Where somebody else works in the directory nothing is put back, since it may be his: then whatever changed voids the
 *     evidence.
 */
import { defaultCheckTimeoutMs, type CheckResult, type CheckSpec } from "../core/workspace.ts";
import { PoolError } from "../core/errors.ts";
import { runShellCommand, type ShellEnd } from "../shell-command.ts";
import { within, type Checkout } from "./checkout.ts";
import { commandFacts } from "./command-facts.ts";
import { git, gitText, identity } from "./git.ts";
import { outputTail } from "./output-tail.ts";
import { presentTree } from "./present-tree.ts";
import { differing, putBack, type Differing } from "./put-back.ts";

export interface Checking {
  readonly checkout: Checkout;
  /** The place in it where checks run. */
  readonly cwd: string;
  /** Whose work is judged; names the ref of E2. */
  readonly owner: string;
  readonly tree: string;
  readonly checks: readonly CheckSpec[];
  /** Has nobody else worked there since the checks began? Asked in the directory's turn, in which nobody else begins to. */
  readonly isAlone?: () => Promise<boolean>;
  readonly inTurn?: <T>(body: () => Promise<T>) => Promise<T>;
}

/** Runs them one after the other; each is judged by itself. @throws {PoolError} `aborted`, and as `git`. */
export async function runChecks(checking: Checking, signal: AbortSignal): Promise<readonly CheckResult[]> {
  if (checking.checks.length === 0) return [];
  const env = await commandFacts(checking.checkout, signal);
  const results: CheckResult[] = [];
  for (const check of checking.checks) results.push(await runCheck(checking, check, env, signal));
  return results;
}

async function runCheck(
  checking: Checking,
  check: CheckSpec,
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<CheckResult> {
  const { checkout, cwd, tree, owner } = checking;
  const of = { name: check.name ?? check.command, command: check.command, tree };
  const before = await presentTree(checkout, owner, signal);
  if (before !== tree) {
    const paths = pathsOf(await differing(checkout, tree, before, signal));
    const output = `Not run: ${checkout.path} no longer holds the work that was saved. These files were edited since: ${paths}.`;
    return { ...of, passed: false, output, elapsedMs: 0 };
  }
  const printed = outputTail();
  const startedAt = performance.now();
  const end = await runShellCommand({
    command: check.command,
    cwd,
    env,
    timeoutMs: check.timeoutMs ?? defaultCheckTimeoutMs,
    signal,
    onOutput: printed.add,
  }).catch((error: unknown) => {
    throw new PoolError("workspace_failed", `The check ${of.name} could not be started in ${cwd}.`, {}, error);
  });
  const elapsedMs = Math.round(performance.now() - startedAt);
  const { inTurn } = checking;
  const note = await (inTurn === undefined ? undone(checking) : inTurn(() => undone(checking)));
  if (end.how === "aborted") {
    throw new PoolError("aborted", `The check ${of.name} was cut short.`, {}, signal.reason);
  }
  return { ...of, ...judged(end, note), output: joined(printed.text(), end, note), elapsedMs };
}

function judged(end: ShellEnd, note: string | undefined): Pick<CheckResult, "passed" | "exitCode" | "timedOut"> {
  return {
    passed: end.how === "exited" && end.code === 0 && note === undefined,
    ...(end.how === "timed_out" ? { timedOut: true } : end.code === undefined ? {} : { exitCode: end.code }),
  };
}

function joined(printed: string, end: ShellEnd, note: string | undefined): string {
  const killed = end.how === "exited" && end.signal !== undefined ? `Ended by ${end.signal}.` : undefined;
  const added = [killed, note].filter((line) => line !== undefined);
  return added.length === 0
    ? printed
    : `${printed}${printed === "" || printed.endsWith("\n") ? "" : "\n"}${added.join("\n")}`;
}

/** E2: the files as they were; says why the evidence is void, if it is. */
async function undone({ checkout, tree, owner, isAlone }: Checking): Promise<string | undefined> {
  const after = await presentTree(checkout, owner);
  if (after === tree) return undefined;
  const differs = await differing(checkout, tree, after);
  if (isAlone !== undefined && !(await isAlone())) {
    return (
      `[void] These files changed while the check ran and others worked in the directory, so it did not judge the work as it ` +
      `was saved: ${pathsOf(differs)}. Nothing was put back.`
    );
  }
  const ref = differs.changed.length === 0 ? undefined : await keep(checkout, owner, after);
  await putBack(checkout, tree, differs);
  const last = await presentTree(checkout, owner);
  if (last !== tree) {
    const paths = pathsOf(await differing(checkout, tree, last));
    return `[void] These files were changed while the check ran and could not be put back: ${paths}.`;
  }
  if (ref === undefined) return undefined;
  return (
    `[void] Files of the work changed while the check ran, so it did not judge the work as it was saved: ` +
    `${pathsOf(differs)}. They were put back; how they were is on ${ref}. A check must change no file of the work ` +
    "(`lint`, not `lint --fix`)."
  );
}

async function keep(checkout: Checkout, owner: string, tree: string): Promise<string> {
  const call = within(checkout);
  const message = `What stood in the directory of ${owner} after a check`;
  const args = ["commit-tree", tree, "-p", "HEAD", "-m", message];
  const commit = await gitText([...(await identity(call)), ...args], call);
  const ref = `refs/claude-pool-earlier/${owner}/after-check-${commit.slice(0, 12)}`;
  await git(["update-ref", ref, commit], call);
  // A clone may be removed: what is kept is kept in the repository.
  if (checkout.kind === "clone") {
    const args = ["fetch", "--no-tags", "--no-write-fetch-head", checkout.gitDir, `${ref}:${ref}`];
    await git(args, { cwd: checkout.repository });
  }
  return ref;
}

function pathsOf({ changed, added }: Differing): string {
  const all = [...changed, ...added];
  const shown = all.slice(0, 20).map((path) => JSON.stringify(path));
  return all.length > shown.length
    ? `${shown.join(", ")} and ${String(all.length - shown.length)} more`
    : shown.join(", ");
}
