import { resolve } from "node:path";
import { Command } from "commander";
import type { PrunedRef, PrunedWorktree, PruneRefsOptions, RestoreOptions, Worktree } from "../../core/api.ts";
import { defined } from "../../core/config.ts";
import { invalidOptions } from "../../core/errors.ts";
import { examples, type Call } from "../call.ts";
import type { ExitCode } from "../exit.ts";
import type { CommonFlags } from "../flags.ts";
import { duration, moment } from "../quantities.ts";
import { oneLine, table } from "../terminal/table.ts";
import { changes, checkLines } from "../work-text.ts";

/** `worktree`: the directories that the pool made, and the work that is saved from them. */
export function worktreeCommand(call: Call): Command {
  return new Command("worktree")
    .summary("list, show, restore and prune worktrees and saved work")
    .description(
      "The worktrees and clones of this pool, and the work that is saved from them. Nothing is removed before it is saved.",
    )
    .addCommand(listCommand(call), { isDefault: true })
    .addCommand(showCommand(call))
    .addCommand(restoreCommand(call))
    .addCommand(pruneCommand(call))
    .addHelpText(
      "after",
      examples(
        "claude-pool worktree list",
        "claude-pool worktree restore task-3f9c ../look",
        "claude-pool worktree prune --dry-run",
        "claude-pool worktree prune --refs --older-than 30d",
      ),
    );
}

function listCommand(call: Call): Command {
  const command = new Command("list")
    .description("Every directory of the pool and why it is there: held by a slot, task or merge, free, or left over.")
    .addHelpText("after", examples("claude-pool worktree list", "claude-pool worktree list --json | jq -r .path"));
  return call.carryOut<CommonFlags>(command, (flags) =>
    call.look(flags, async (pool) => {
      const listed = await pool.worktrees.list();
      if (call.json) for (const one of listed) await call.out.record(one);
      else if (listed.length === 0) call.out.say("No worktrees.");
      else {
        const rows = [["WHY", "OF", "SAVED", "PATH"], ...listed.map(row)];
        for (const line of table(rows, { width: call.out.columns })) await call.out.line(line);
      }
    }),
  );
}

function showCommand(call: Call): Command {
  const command = new Command("show")
    .description("Show where a task worked, what is saved of that, and what its checks said.")
    .argument("<id>", "id of the task, or a unique beginning of it")
    .addHelpText("after", examples("claude-pool worktree show task-3f9c"));
  return call.carryOut<CommonFlags>(command, (flags, [id]) =>
    call.look(flags, async (pool) => {
      const shown = await pool.worktrees.show(id as string);
      if (call.json) return call.out.record(shown);
      const { workspace, stands, refs } = shown;
      const { saved } = workspace;
      const lines = [
        ["task", shown.taskId],
        [workspace.isolation, `${workspace.path}${stands ? "" : " (its work stands there no more)"}`],
        ["branch", workspace.branch],
        ["base", `${workspace.baseRef} (${workspace.baseCommit.slice(0, 12)})`],
        ["merges into", workspace.target ?? "(name a branch with --into)"],
        ["changed", saved === undefined ? "nothing is saved yet" : changes(saved)],
        ...refs.map((ref) => [
          "saved",
          `${ref.ref} ${ref.commit.slice(0, 12)} ${moment(ref.atMs)} ${oneLine(ref.subject, 72)}`,
        ]),
        ...checkLines(workspace.checks ?? [], call.out.colour).map((line) => ["check", line]),
      ];
      for (const line of table(lines)) await call.out.line(line);
    }),
  );
}

function restoreCommand(call: Call): Command {
  const command = new Command("restore")
    .description(
      "Put a task's saved work into a worktree of your own, with what was not committed uncommitted, and print its path.",
    )
    .argument("<id>", "id of the task, or a unique beginning of it")
    .argument("[path]", "an empty or new directory (default: ../<id>)")
    .option("--branch <name>", "a branch to be made there (default: none, HEAD is detached)")
    .addHelpText(
      "after",
      examples(
        "cd $(claude-pool worktree restore task-3f9c)",
        "claude-pool worktree restore --branch try task-3f9c ../try",
      ),
    );
  return call.carryOut<CommonFlags & { readonly branch?: string }>(command, (flags, [id, given]) =>
    call.look(flags, async (pool) => {
      const path = given === undefined ? undefined : resolve(call.io.cwd, given as string);
      const restored = await pool.worktrees.restore(
        id as string,
        defined<RestoreOptions>({ path, branch: flags.branch }),
      );
      await (call.json ? call.out.record({ path: restored }) : call.out.line(restored));
    }),
  );
}

function pruneCommand(call: Call): Command {
  const command = new Command("prune")
    .description(
      "Remove the directories that nobody works in, after what stands there is saved. What cannot be saved stays: exit 1.",
    )
    .option("--dry-run", "only say what would be removed")
    .option("--refs", "then drop the refs of work that a branch has, as it is or as it was merged")
    .option(
      "--older-than <duration>",
      "with --refs: only of work saved so long ago, such as 30d",
      duration("--older-than", Infinity),
    )
    .option("--force", "with --refs: also of work that no branch has, if its task is over")
    .addHelpText(
      "after",
      examples(
        "claude-pool worktree prune --dry-run",
        "claude-pool worktree prune",
        "claude-pool worktree prune --refs --older-than 30d",
      ),
    );
  return call.carryOut<PruneFlags>(command, async (flags) => {
    const isDryRun = flags.dryRun === true;
    const wanting = flags.olderThan === undefined ? "force" : "older-than";
    if (flags.refs !== true && (flags.force === true || flags.olderThan !== undefined)) {
      throw invalidOptions(`--${wanting} is about refs: give --refs too.`, `--${wanting}`);
    }
    return call.look(flags, async (pool) => {
      const pruned = await pool.worktrees.prune({ dryRun: isDryRun });
      for (const one of pruned) await tell(call, one, isDryRun);
      if (pruned.length === 0 && !call.json) call.out.say("No worktrees.");
      if (flags.refs === true) {
        const options = { olderThanMs: flags.olderThan, force: flags.force, dryRun: isDryRun };
        const refs = await pool.worktrees.pruneRefs(defined<PruneRefsOptions>(options));
        for (const one of refs) await tellOfRef(call, one, isDryRun);
        if (refs.length === 0 && !call.json) call.out.say("No saved work.");
      }
      return (pruned.some((one) => one.error !== undefined) ? 1 : 0) satisfies ExitCode;
    });
  });
}

interface PruneFlags extends CommonFlags {
  readonly dryRun?: boolean;
  readonly refs?: boolean;
  readonly olderThan?: number;
  readonly force?: boolean;
}

async function tellOfRef(call: Call, one: PrunedRef, isDryRun: boolean): Promise<void> {
  if (call.json) return call.out.record(one);
  const { ref, branch, stays } = one;
  const does = stays !== undefined ? "stays   " : isDryRun ? "would go" : "dropped ";
  await call.out.line(`${does} ${ref}  (${stays ?? (branch === undefined ? "no branch has it" : `in ${branch}`)})`);
}

async function tell(call: Call, one: PrunedWorktree, isDryRun: boolean): Promise<void> {
  if (call.json) return call.out.record(one);
  const { error, savedTo, isRemoved, path } = one;
  const saved = savedTo === undefined ? "" : `, saved to ${savedTo}`;
  if (error !== undefined) call.out.say(`${path} stays: ${error}`);
  else if (isRemoved !== true) await call.out.line(`stays    ${path}  (${reason(one)})`);
  else await call.out.line(`${isDryRun ? "would go" : "removed "} ${path}  (${reason(one)}${saved})`);
}

function row(one: Worktree): readonly string[] {
  return [reason(one), one.taskId ?? "-", one.isSaved ? "yes" : "no", one.path];
}

function reason({ explanation, slotId, mergeId, isMissing }: Worktree): string {
  const who = slotId ?? mergeId;
  const gone = isMissing === true ? ", directory gone" : "";
  return `${explanation === "unknown" ? "not the pool's" : explanation}${who === undefined ? "" : ` ${who}`}${gone}`;
}
