/**
 * The set-up command of a directory, such as `npm ci`.
 *
 * B1. It runs when the directory was made, or when the command or the commit that the directory begins from is another than
 *     when it last succeeded; that is noted in the directory's own git dir, so the note goes with the directory.
 * B2. What it makes that git does not ignore is put back: it is nobody's work, and would be saved as the task's.
 */
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PoolError } from "../core/errors.ts";
import { runShellCommand } from "../shell-command.ts";
import { textOf, type Checkout } from "./checkout.ts";
import { commandFacts } from "./command-facts.ts";
import { outputTail } from "./output-tail.ts";
import { presentTree } from "./present-tree.ts";
import { differing, putBack } from "./put-back.ts";

export interface SettingUp {
  /** The command runs in its root. */
  readonly checkout: Checkout;
  /** Whose work stands there. */
  readonly owner: string;
  readonly command: string;
  readonly timeoutMs: number;
  /** What the directory begins from. */
  readonly commit: string;
}

/** Runs the command if it is due (B1). @throws {PoolError} `workspace_failed` with the end of its output, `aborted`. */
export async function setUp(wanted: SettingUp, signal: AbortSignal): Promise<void> {
  const { checkout, owner, command, timeoutMs, commit } = wanted;
  const note = join(checkout.gitDir, "claude-pool-setup.json");
  const due = JSON.stringify({ command, commit });
  if ((await textOf(note)) === due) return;
  const before = await presentTree(checkout, owner, signal);
  const printed = outputTail();
  const end = await runShellCommand({
    command,
    cwd: checkout.path,
    env: await commandFacts(checkout, signal),
    timeoutMs,
    signal,
    onOutput: printed.add,
  });
  const after = await presentTree(checkout, owner);
  if (after !== before) await putBack(checkout, before, await differing(checkout, before, after));
  if (end.how === "aborted") throw new PoolError("aborted", "The set-up command was cut short.", {}, signal.reason);
  if (end.how === "timed_out" || end.code !== 0) {
    const how =
      end.how === "timed_out"
        ? `took longer than ${String(timeoutMs / 1_000)} s`
        : `ended ${end.code === undefined ? `by ${String(end.signal)}` : `with code ${String(end.code)}`}`;
    const output = printed.text().slice(-4_000).trim();
    throw new PoolError(
      "workspace_failed",
      `The set-up command ${JSON.stringify(command)} ${how} in ${checkout.path}.${output === "" ? "" : ` It printed:\n${output}`}`,
      { command, output },
    );
  }
  await writeFile(`${note}.new`, due);
  await rename(`${note}.new`, note);
}
