/** Every command, put together. */
import { readFileSync } from "node:fs";
import { Command } from "commander";
import type { Call } from "./call.ts";
import { autoCommand } from "./commands/auto.ts";
import { budgetCommand } from "./commands/budget.ts";
import { cancelCommand } from "./commands/cancel.ts";
import { chainCommand } from "./commands/chain.ts";
import { completionCommand } from "./commands/completion.ts";
import { configCommand } from "./commands/config.ts";
import { contextCommand } from "./commands/context.ts";
import { demoCommand } from "./commands/demo.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { diffCommand, taskCommand } from "./commands/diff.ts";
import { drainCommand } from "./commands/drain.ts";
import { eventsCommand } from "./commands/events.ts";
import { exportCommand } from "./commands/export.ts";
import { fanOutCommand } from "./commands/fan-out.ts";
import { governorCommand } from "./commands/governor.ts";
import { importCommand } from "./commands/import.ts";
import { hooksCommand } from "./commands/init-hooks.ts";
import { initCommand } from "./commands/init.ts";
import { listCommand } from "./commands/list.ts";
import { logCommand } from "./commands/log.ts";
import { mcpCommand } from "./commands/mcp.ts";
import { mergeCommand } from "./commands/merge.ts";
import { messageCommand } from "./commands/message.ts";
import { metricsCommand } from "./commands/metrics.ts";
import { pruneCommand } from "./commands/prune.ts";
import { requestsCommand } from "./commands/requests.ts";
import { resultCommand } from "./commands/result.ts";
import { routeCommand } from "./commands/route.ts";
import { reviewCommand } from "./commands/review.ts";
import { runCommand } from "./commands/run.ts";
import { serveCommand } from "./commands/serve.ts";
import { skillCommand } from "./commands/skill.ts";
import { slotsCommand } from "./commands/slots.ts";
import { statusCommand } from "./commands/status.ts";
import { submitCommand } from "./commands/submit.ts";
import { trustCommand } from "./commands/trust.ts";
import { waitCommand } from "./commands/wait.ts";
import { webhookCommand } from "./commands/webhook.ts";
import { workflowCommand } from "./commands/workflow.ts";
import { worktreeCommand } from "./commands/worktree.ts";
import { addCommonFlags } from "./flags.ts";
import { refuseUnknown } from "./unknown-command.ts";

const groups = {
  "Work:": [
    runCommand,
    fanOutCommand,
    skillCommand,
    workflowCommand,
    chainCommand,
    reviewCommand,
    requestsCommand,
    autoCommand,
    routeCommand,
    submitCommand,
    waitCommand,
    resultCommand,
    cancelCommand,
    listCommand,
  ],
  "What was changed:": [diffCommand, taskCommand, mergeCommand, worktreeCommand],
  "The pool:": [
    serveCommand,
    mcpCommand,
    statusCommand,
    slotsCommand,
    budgetCommand,
    metricsCommand,
    governorCommand,
    contextCommand,
    messageCommand,
    eventsCommand,
    webhookCommand,
    drainCommand,
  ],
  "Other terminals:": [logCommand, hooksCommand],
  "The record:": [exportCommand, importCommand, pruneCommand],
  "Setting up:": [initCommand, demoCommand, doctorCommand, configCommand, trustCommand],
} as const;

export function program(call: Call): Command {
  const root = addCommonFlags(new Command("claude-pool"))
    .description(
      "A team of Claude Code workers behind one interface: a durable queue, warm slots, budgets and a record.",
    )
    .version(version(), "-V, --version")
    .helpOption("-h, --help", "help for a command")
    .commandsGroup("Setting up:")
    .addHelpText(
      "after",
      '\nStart here:\n  $ claude-pool demo\n  $ claude-pool run --permission-mode acceptEdits "Fix the failing test"\n',
    );
  for (const [group, commands] of Object.entries(groups)) {
    for (const command of commands) root.addCommand(command(call).helpGroup(group));
  }
  root.addCommand(completionCommand(call, () => root).helpGroup("Setting up:"));
  forEachCommand(root, (command) => {
    command.exitOverride().configureOutput({
      writeOut: (text) => call.io.stdout.write(text),
      writeErr: (text) => call.io.stderr.write(text),
      getOutHelpWidth: () => call.out.columns ?? 100,
      getErrHelpWidth: () => 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
    if (command === root) return;
    if (command.commands.length === 0) addCommonFlags(command.optionsGroup("Where and how:"));
    else refuseUnknown(command);
  });
  return root;
}

function version(): string {
  const file = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(file) as { readonly version: string }).version;
}

function forEachCommand(command: Command, visit: (command: Command) => void): void {
  visit(command);
  for (const inner of command.commands) forEachCommand(inner, visit);
}
