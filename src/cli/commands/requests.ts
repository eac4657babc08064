import { text as readAll } from "node:stream/consumers";
import { Command } from "commander";
import { defined } from "../../core/config.ts";
import type { PermissionRule, PoolRequest } from "../../core/permission.ts";
import type { Pool } from "../../pool.ts";
import { examples, type Call } from "../call.ts";
import type { CommonFlags } from "../flags.ts";
import { interruptedOrUnread } from "../interrupted.ts";
import { clockTime, elapsed, wholeNumber } from "../quantities.ts";
import { harmless } from "../terminal/harmless.ts";
import { table } from "../terminal/table.ts";

/** `requests`: what running tasks wait for. */
export function requestsCommand(call: Call): Command {
  return new Command("requests")
    .summary("list and answer what running tasks ask for")
    .description(
      "A task in permission mode default asks before it uses a tool that nothing allows; a worker may put a question.\n" +
        "It waits for the answer, and its slot with it; unanswered in time, the tool is denied.",
    )
    .addCommand(listCommand(call), { isDefault: true })
    .addCommand(showCommand(call))
    .addCommand(allowCommand(call))
    .addCommand(denyCommand(call))
    .addCommand(answerCommand(call))
    .addCommand(rulesCommand(call))
    .addCommand(addRuleCommand(call))
    .addCommand(revokeCommand(call))
    .addHelpText(
      "after",
      examples(
        "claude-pool requests --follow",
        "claude-pool requests --wait --json | jq -r .id",
        "claude-pool requests allow req-4k7d9qx2m1",
        "claude-pool requests allow req-4k7d9qx2m1 --always 'Bash(npm test:*)'",
        'claude-pool requests deny req-4k7d9qx2m1 --message "Write to docs/ instead"',
        'claude-pool requests answer req-9s2k1m8z4c "Take the second"',
        "claude-pool requests revoke 'Bash(npm test:*)'",
      ),
    );
}

interface ListFlags extends CommonFlags {
  readonly all?: boolean;
  readonly task?: string;
  readonly limit?: number;
  readonly follow?: boolean;
  readonly wait?: boolean;
}

function listCommand(call: Call): Command {
  const command = new Command("list")
    .description("What waits for an answer, in the order in which it was asked.")
    .option("--all", "those that were answered too, the newest first")
    .option("--task <id>", "only those of this task")
    .option("--limit <n>", "at most so many", wholeNumber("--limit", 1))
    .option("--wait", "if nothing waits, wait for the first that does")
    .option("--follow", "go on with those to come, until Ctrl-C");
  return call.carryOut<ListFlags>(command, (flags) =>
    call.look(flags, async (pool) => {
      const filter = defined<Parameters<Pool["requests"]["list"]>[0] & object>({
        all: flags.all,
        taskId: flags.task,
        limit: flags.limit,
      });
      // The cursor first: what is asked between the two looks is then seen by the second.
      const cursor = await pool.lastEventSeq();
      const requests = await pool.requests.list(filter);
      if (call.json) for (const request of requests) await call.out.record(request);
      else if (requests.length === 0 && flags.wait !== true) call.out.say("Nothing waits for an answer.");
      else if (requests.length > 0) for (const line of requestTable(call, requests)) await call.out.line(line);
      const isAwaited = flags.wait === true && requests.length === 0;
      if (flags.follow === true || isAwaited)
        await follow(call, pool, { cursor, known: new Set(requests.map(({ id }) => id)) }, flags);
    }),
  );
}

async function follow(
  call: Call,
  pool: Pool,
  from: { readonly cursor: number; readonly known: ReadonlySet<string> },
  flags: ListFlags,
): Promise<void> {
  const { signal, end } = interruptedOrUnread(call);
  const taskId = flags.task === undefined ? undefined : (await pool.get(flags.task)).id;
  try {
    for await (const event of pool.events(defined({ after: from.cursor, signal, taskId }))) {
      if (event.type !== "permission.requested" && event.type !== "question.asked") continue;
      const { requestId } = event.data;
      if (from.known.has(requestId)) continue;
      const request = await pool.requests.get(requestId);
      await (call.json ? call.out.record(request) : call.out.line(requestLine(request)));
      if (flags.follow !== true) return;
    }
  } finally {
    end();
  }
}

function showCommand(call: Call): Command {
  const command = idCommand("show", "Show one request with all that the tool is to be used with.");
  return call.carryOut<CommonFlags>(command, (flags, [id]) =>
    call.look(flags, async (pool) => {
      const request = await pool.requests.get(id as string);
      if (call.json) return call.out.record(request);
      await call.out.line(requestLine(request));
      if (request.isSensitive === true) await call.out.line(call.out.colour.yellow("Claude's own safety check asks."));
      if (request.isOutside === true)
        await call.out.line(call.out.colour.yellow("It may reach outside of the task's directories."));
      if (request.reason !== undefined) await call.out.line(harmless(request.reason));
      const { toolInput, question, message } = request;
      if (question !== undefined) await call.out.line(harmless(question));
      for (const [name, value] of Object.entries(toolInput ?? {})) {
        const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
        await call.out.line(`${call.out.colour.bold(harmless(name))}\n${harmless(text)}`);
      }
      if (message !== undefined) await call.out.line(`${call.out.colour.bold("Answer")}\n${harmless(message)}`);
    }),
  );
}

function allowCommand(call: Call): Command {
  const command = idCommand("allow", "Let the tool be used.").option(
    "--always [rule]",
    "and later calls like it: exactly this one, or those of a rule such as 'Edit(src/**)'",
  );
  return call.carryOut<CommonFlags & { readonly always?: true | string }>(command, (flags, [id]) =>
    call.look(flags, async (pool) => {
      await tell(call, pool, await pool.requests.allow(id as string, defined({ always: flags.always })));
    }),
  );
}

function denyCommand(call: Call): Command {
  const command = idCommand("deny", "Refuse the tool; the task goes on without it.")
    .option("--message <text>", "told to the model: why, and what to do instead")
    .option("--always [rule]", "and later calls like it: exactly this one, or those of a rule");
  return call.carryOut<CommonFlags & { readonly message?: string; readonly always?: true | string }>(
    command,
    (flags, [id]) =>
      call.look(flags, async (pool) => {
        const answer = defined({ message: flags.message, always: flags.always });
        await tell(call, pool, await pool.requests.deny(id as string, answer));
      }),
  );
}

function answerCommand(call: Call): Command {
  const command = idCommand("answer", "Answer a question of a worker.").argument(
    "<text>",
    "the answer; with - it is read from stdin",
  );
  return call.carryOut<CommonFlags>(command, (flags, [id, words]) =>
    call.look(flags, async (pool) => {
      const text = words === "-" ? (await readAll(call.io.stdin)).replace(/\r?\n$/, "") : (words as string);
      await tell(call, pool, await pool.requests.answer(id as string, text));
    }),
  );
}

function rulesCommand(call: Call): Command {
  const command = new Command("rules").description("The rules that answer requests by themselves.");
  return call.carryOut<CommonFlags>(command, (flags) =>
    call.look(flags, async (pool) => {
      const rules = await pool.requests.rules();
      if (call.json) for (const rule of rules) await call.out.record(rule);
      else if (rules.length === 0) call.out.say("No rules: every request is asked.");
      else for (const line of table([["ID", "DECISION", "RULE"], ...rules.map(ruleRow)])) await call.out.line(line);
    }),
  );
}

function addRuleCommand(call: Call): Command {
  const command = new Command("add-rule")
    .description("Keep a rule, for requests to come and for those that are open.")
    .argument("<rule>", "such as 'Bash(npm test:*)' or 'Edit(src/**)'")
    .option("--deny", "deny what it covers, instead of allowing it");
  return call.carryOut<CommonFlags & { readonly deny?: boolean }>(command, (flags, [rule]) =>
    call.look(flags, async (pool) => {
      const kept = await pool.requests.addRule(rule as string, flags.deny === true ? "deny" : "allow");
      await (call.json ? call.out.record(kept) : call.out.line(ruleRow(kept).join("  ")));
    }),
  );
}

function revokeCommand(call: Call): Command {
  const command = new Command("revoke")
    .description("Remove a rule: what it answered is asked again.")
    .argument("<rule>", "its id, or its text");
  return call.carryOut<CommonFlags>(command, (flags, [rule]) =>
    call.look(flags, async (pool) => {
      for (const gone of await pool.requests.revoke(rule as string)) {
        await (call.json ? call.out.record(gone) : call.out.line(ruleRow(gone).join("  ")));
      }
    }),
  );
}

function idCommand(name: string, what: string): Command {
  return new Command(name).description(what).argument("<id>", "id of the request, or a unique beginning of it");
}

async function tell(call: Call, pool: Pool, request: PoolRequest): Promise<void> {
  if (call.json) return call.out.record(request);
  await call.out.line(`${request.id}  ${request.state}`);
  const rule = (await pool.requests.rules()).find(({ id }) => id === request.ruleId);
  if (rule !== undefined) call.out.say(`From now on: ${rule.decision} ${harmless(rule.rule)} (${rule.id}).`);
}

function ruleRow({ id, decision, rule }: PermissionRule): readonly string[] {
  return [id, decision, harmless(rule)];
}

const head = ["ID", "STATE", "TASK", "SLOT", "LEFT", "WANTS"];

function requestTable(call: Call, requests: readonly PoolRequest[]): readonly string[] {
  const nowMs = Date.now();
  const rows = requests.map((request) => {
    const { id, state, taskId, slotId, expiresAtMs } = request;
    const isOpen = state === "open" && expiresAtMs !== undefined;
    return [id, state, taskId, slotId, isOpen ? elapsed(Math.max(0, expiresAtMs - nowMs)) : "-", wantedText(request)];
  });
  return table([head, ...rows], { width: call.out.columns });
}

/** One line: when, which, whose, and what it wants. */
function requestLine(request: PoolRequest): string {
  const { id, askedAtMs, state, taskId } = request;
  return [clockTime(askedAtMs), id, ...(state === "open" ? [] : [state]), taskId, wantedText(request)].join("  ");
}

/** What is wanted, on one line; the whole of it is for `show`, and for judging. */
function wantedText(request: PoolRequest): string {
  const { tool, toolInput = {}, question, inputTruncated, isSensitive, isOutside } = request;
  const caution = isSensitive === true ? "[sensitive] " : isOutside === true ? "[outside] " : "";
  const [only, ...others] = Object.values(toolInput);
  const shown = typeof only === "string" && others.length === 0 ? only : JSON.stringify(toolInput);
  const words = question ?? `${caution}${tool ?? ""} ${shown}`;
  const flat = harmless(words).replaceAll("\n", "\\n");
  const cut = flat.length > 300 ? `${flat.slice(0, 300)}…` : flat;
  return cut.length < flat.length || inputTruncated === true ? `${cut} (cut: \`claude-pool requests show\`)` : cut;
}
