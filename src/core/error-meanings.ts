/* eslint-disable max-lines -- one table of every code, read as a whole */
/** What every error code means to each surface. */

/** What one error code means to the CLI (exit code), to HTTP (status) and to a reader. */
export interface ErrorMeaning {
  readonly exit: 1 | 2 | 3 | 4 | 130;
  readonly status: number;
  readonly meaning: string;
  readonly remedy: string;
}

/** Every code, in the order of docs/errors.md; a test holds the two equal. */
export const errorMeanings = {
  invalid_options: {
    exit: 2,
    status: 422,
    meaning: "An option, field, flag or argument is unknown, missing or out of range.",
    remedy: "The message names the field and, where one is near, the name that was probably meant.",
  },
  cwd_not_found: {
    exit: 2,
    status: 422,
    meaning: "The working directory of a task or pool does not exist or is no directory.",
    remedy: "Create it, or name another with `cwd` or `--cwd`.",
  },
  unsupported: {
    exit: 2,
    status: 422,
    meaning: "The option is known, but this version cannot do what it asks.",
    remedy: "Leave it out; the pool never runs a task with less than was asked.",
  },
  untrusted_config: {
    exit: 2,
    status: 422,
    meaning:
      "The project's claude-pool.json, or a skill or workflow of it, sets something that only a trusted project may set.",
    remedy: "Read the file; then `claude-pool trust`, or move it, or the setting, to your user folder.",
  },
  skill_not_found: {
    exit: 4,
    status: 404,
    meaning: "No skill has this name.",
    remedy: "`claude-pool skill list` shows the names and where each was found.",
  },
  workflow_not_found: {
    exit: 4,
    status: 404,
    meaning: "No workflow has this name.",
    remedy: "`claude-pool workflow list` shows the names and where each was found.",
  },
  invalid_skill: {
    exit: 2,
    status: 422,
    meaning: "The file of a skill or workflow cannot be used: its front matter, a field, its name or its size.",
    remedy: "The message names the file and what is wrong; nothing else is run in its place.",
  },
  skill_exists: {
    exit: 4,
    status: 409,
    meaning: "The folder already holds a skill of this name, and nothing is overwritten unasked.",
    remedy: "Remove or rename the other, or `claude-pool skill save --force`.",
  },
  skill_commands_off: {
    exit: 2,
    status: 422,
    meaning: "The skill holds commands, and this pool runs none of that skill.",
    remedy: "Read the skill; then set `skill_commands`, or remove the commands.",
  },
  skill_command_failed: {
    exit: 1,
    status: 422,
    meaning: "A command inside a skill failed or took too long, so that there is no prompt to run.",
    remedy: "The message has the command and the end of its stderr.",
  },
  task_not_found: {
    exit: 4,
    status: 404,
    meaning: "No task has this id in this pool.",
    remedy: "`claude-pool list` shows the ids; another project has another pool (`--cwd`, `--store`).",
  },
  context_not_found: {
    exit: 4,
    status: 404,
    meaning: "The shared context has no such key.",
    remedy: "`claude-pool context list` shows the keys.",
  },
  webhook_not_found: {
    exit: 4,
    status: 404,
    meaning: "No webhook has this id.",
    remedy: "`claude-pool webhook list` shows the ids.",
  },
  slot_not_found: {
    exit: 4,
    status: 404,
    meaning: "No slot has this id in this pool.",
    remedy: "`claude-pool slots` shows the ids.",
  },
  slot_state: {
    exit: 4,
    status: 409,
    meaning: "The slot is in a state in which this cannot happen to it.",
    remedy: "`claude-pool slots` shows the states: only an idle slot can claim, only an errored one can be restarted.",
  },
  request_not_found: {
    exit: 4,
    status: 404,
    meaning: "No request has this id.",
    remedy: "`claude-pool requests` shows what waits for an answer.",
  },
  request_over: {
    exit: 4,
    status: 409,
    meaning: "The request was answered already, or the run that asked has ended.",
    remedy: "Nothing to mend: the message says what became of it.",
  },
  rule_not_found: {
    exit: 4,
    status: 404,
    meaning: "No permission rule has this id or text.",
    remedy: "`claude-pool requests rules` shows those that are kept.",
  },
  run_over: {
    exit: 4,
    status: 409,
    meaning: "The run that asks something of the pool has ended, or has lost its task.",
    remedy: "Nothing to mend: the task's next run asks anew.",
  },
  depth_exceeded: {
    exit: 4,
    status: 409,
    meaning: "A worker would submit a task deeper than the pool allows, or more of them than one task may.",
    remedy: "Have the coordinator submit it, or raise `max_depth`.",
  },
  inside_slot: {
    exit: 4,
    status: 409,
    meaning: "The call comes from within a slot of a pool, where nothing but looking is allowed.",
    remedy: "Have the coordinator do it; a task with `may_dispatch` may submit others.",
  },
  inbox_full: {
    exit: 4,
    status: 409,
    meaning: "As many messages as can wait for one recipient do.",
    remedy: "`claude-pool message read` empties an inbox.",
  },
  invalid_transition: {
    exit: 4,
    status: 409,
    meaning: "The task is in a state in which this cannot happen to it.",
    remedy: "`claude-pool result ID` shows its state.",
  },
  key_conflict: {
    exit: 4,
    status: 409,
    meaning: "The idempotency key belongs to a task with another specification.",
    remedy: "Use a new key, or submit exactly what was submitted first.",
  },
  no_slot_available: {
    exit: 1,
    status: 409,
    meaning: "No slot took the task in the time that it was given.",
    remedy: "Start slots with `claude-pool serve`, or allow more time.",
  },
  telemetry_not_installed: {
    exit: 2,
    status: 500,
    meaning: "The environment asks for OpenTelemetry, but its SDK is not installed.",
    remedy: "The message says what to install; or unset OTEL_EXPORTER_OTLP_ENDPOINT.",
  },
  cannot_listen: {
    exit: 1,
    status: 500,
    meaning: "The server cannot listen on this address and port.",
    remedy:
      "Another process has the port, or the address is not this machine's: `--port 0` takes any port that is free.",
  },
  no_host: {
    exit: 4,
    status: 409,
    meaning: "No process is hosting slots, so nobody could obey the request.",
    remedy: "Start one with `claude-pool serve`.",
  },
  scaling_out_of_bounds: {
    exit: 2,
    status: 422,
    meaning: "The number of slots asked for is below the minimum or above the maximum.",
    remedy: "Ask for fewer or more, or set `scaling.min_slots` and `scaling.max_slots`.",
  },
  pool_shutdown: {
    exit: 4,
    status: 409,
    meaning: "The pool is drained: it takes no work until it is opened anew.",
    remedy: "Open it again: `claude-pool serve`, or `openPool`.",
  },
  pool_closed: {
    exit: 1,
    status: 409,
    meaning: "This Pool object is closed; the queue itself lives on in the store.",
    remedy: "Open the pool again with `openPool`.",
  },
  budget_exhausted: {
    exit: 3,
    status: 402,
    meaning: "The pool has spent its cap.",
    remedy: "`claude-pool budget set` raises it, `claude-pool budget reset` starts counting anew.",
  },
  task_budget_exceeds_remaining: {
    exit: 3,
    status: 402,
    meaning: "The task's own cap is larger than what the pool has left.",
    remedy: "Give the task a smaller cap, or raise the pool's.",
  },
  task_failed: {
    exit: 1,
    status: 409,
    meaning: "`run` waited for a task that did not complete; the error carries its outcome.",
    remedy: "`outcome.result.reason` says why; `outcome.result.error` says it in words.",
  },
  workspace_impossible: {
    exit: 2,
    status: 422,
    meaning: "The task cannot be isolated here: no git repository, no commit yet, a bare repository, or no such base.",
    remedy:
      "The message says which; mend it, or ask for isolation `none`. No task falls back to the shared directory by itself.",
  },
  workspace_failed: {
    exit: 1,
    status: 500,
    meaning: "Git, the set-up command or the file system failed while a worktree or clone was made, read or changed.",
    remedy: "The message has what the command said; what stood in the directory is still there or on its ref.",
  },
  workspace_mismatch: {
    exit: 1,
    status: 409,
    meaning: "A process stands in another directory, git directory or branch than the one made for its task.",
    remedy: "The run was stopped before its first turn; look for hooks or settings that change directory or branch.",
  },
  workspace_save_failed: {
    exit: 1,
    status: 500,
    meaning: "Work could not be saved to a ref, so its directory was not removed and not reused.",
    remedy: "The message says why (a full disk, an unreadable file); mend it, then `claude-pool worktree prune`.",
  },
  repository_locked: {
    exit: 1,
    status: 409,
    meaning: "Another git process holds a lock of the repository, and did not let go in time.",
    remedy: "Wait for it, or remove the lock file that the message names if no git process runs.",
  },
  merge_not_found: {
    exit: 4,
    status: 404,
    meaning: "No merge has this id.",
    remedy: "`claude-pool merge list` shows the ids.",
  },
  nothing_to_merge: {
    exit: 4,
    status: 409,
    meaning: "The task has no saved work: it ran without isolation, changed nothing, or is not done.",
    remedy: "`claude-pool task diff ID` shows what there is.",
  },
  merge_conflict: {
    exit: 1,
    status: 409,
    meaning: "The work conflicts with what the branch has become; nothing was changed.",
    remedy:
      "The message lists the files. The work is on its ref: `claude-pool worktree restore ID`, or reject it with the conflict as feedback.",
  },
  merge_failed: {
    exit: 1,
    status: 409,
    meaning: "The merge did not land: a check failed on the merged tree, or git refused.",
    remedy: "The message says why; the branch did not move, and the work is still on its ref.",
  },
  merge_moved: {
    exit: 1,
    status: 409,
    meaning: "The branch does not stand where it should: somebody else moved it.",
    remedy: "Try again; nothing was changed.",
  },
  checkout_dirty: {
    exit: 4,
    status: 409,
    meaning: "The branch is checked out, and files that the merge would change have changes of their own there.",
    remedy: "Commit or stash the files that the message names, then merge again.",
  },
  route_failed: {
    exit: 1,
    status: 502,
    meaning: "The router gave no usable answer, so nothing of the task was done.",
    remedy: "The message says why; try again, choose another `model`, or `run` the task as it is.",
  },
  wait_timeout: {
    exit: 1,
    status: 408,
    meaning: "The wait ended before the tasks did; they go on.",
    remedy: "Wait again, or `claude-pool cancel` them.",
  },
  aborted: {
    exit: 130,
    status: 499,
    meaning: "The caller's AbortSignal ended the call.",
    remedy: "Nothing to mend: this is what the signal asked for.",
  },
  store_not_database: {
    exit: 1,
    status: 500,
    meaning: "The store is not an SQLite database, or a damaged one, or not the pool's.",
    remedy: "Name another file with `--store`; the pool changes nothing in this one.",
  },
  store_newer: {
    exit: 1,
    status: 500,
    meaning: "The store was written by a newer version of claude-pool.",
    remedy: "Update claude-pool, or name another store.",
  },
  store_read_only: {
    exit: 1,
    status: 500,
    meaning: "The store, or its directory, cannot be written.",
    remedy: "Mend its permissions, or name another store with `--store`.",
  },
  store_full: {
    exit: 1,
    status: 507,
    meaning: "The disk, or the store's own size limit, is full; what was accepted before is safe.",
    remedy: "Free space, or `claude-pool prune --older-than 30d`.",
  },
  store_busy: {
    exit: 1,
    status: 503,
    meaning: "Another process held the store's write lock for longer than the busy timeout.",
    remedy: "Try again; if it lasts, `claude-pool doctor` names the processes that have it open.",
  },
  store_failed: {
    exit: 1,
    status: 500,
    meaning: "The store failed in a way that has no code of its own; `cause` has SQLite's error.",
    remedy: "`claude-pool doctor` checks the file.",
  },
  sqlite_too_old: {
    exit: 2,
    status: 500,
    meaning: "Node's SQLite is older than 3.51.3 and can lose data when two processes write.",
    remedy: "Use Node 22.22.3 or newer, or 24.15 or newer.",
  },
  node_too_old: {
    exit: 2,
    status: 500,
    meaning: "This Node is too old for the pool.",
    remedy: "Use Node 22.22.3 or newer, or 24.15 or newer.",
  },
  entry_not_found: {
    exit: 4,
    status: 404,
    meaning: "No entry or claim of the activity log has this id, or several ids begin so.",
    remedy: "`claude-pool log list --all --verbose` shows the ids.",
  },
  log_failed: {
    exit: 1,
    status: 500,
    meaning: "The activity log's folder cannot be written, or must not be used.",
    remedy: "`claude-pool log doctor` says what is wrong with it; `POOL_HOME` names another.",
  },
  claude_not_found: {
    exit: 1,
    status: 500,
    meaning: "The Claude CLI is not where it should be.",
    remedy: "Set `claude` or CLAUDE_POOL_CLAUDE to the program, or reinstall claude-pool.",
  },
  claude_broken: {
    exit: 1,
    status: 500,
    meaning: "The Claude CLI was found but did not open a conversation.",
    remedy: "Run the program by hand with `--version`; the message has the end of its stderr.",
  },
  invalid_import: {
    exit: 2,
    status: 422,
    meaning: "A line of an import is no record of this format; nothing of it was kept.",
    remedy: "The message names the line; `claude-pool export` writes the format.",
  },
} as const satisfies Record<string, ErrorMeaning>;
