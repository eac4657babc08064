import { Command } from "commander";
import type { BudgetScope } from "../../core/api.ts";
import { type BudgetState, type ScopeBudget, scopeName } from "../../core/budget.ts";
import { invalidOptions } from "../../core/errors.ts";
import { examples, type Call } from "../call.ts";
import type { CommonFlags } from "../flags.ts";
import { moment, usd } from "../quantities.ts";
import { oneLine } from "../terminal/table.ts";

const periods = ["none", "day", "week"] as const;

/** `budget`: the pool's cap. */
export function budgetCommand(call: Call): Command {
  return new Command("budget")
    .summary("show, set and reset the pool's cap")
    .description("The pool's cap, and what has been spent since it was set.")
    .addCommand(showCommand(call), { isDefault: true })
    .addCommand(setCommand(call))
    .addCommand(resetCommand(call))
    .addHelpText(
      "after",
      examples(
        "claude-pool budget",
        "claude-pool budget set 20 --renews day",
        "claude-pool budget set --tag nightly --usd 5",
        "claude-pool budget set --daily --usd none",
      ),
    );
}

function showCommand(call: Call): Command {
  const command = new Command("show").description("Show every cap and what is spent of it.");
  return call.carryOut<CommonFlags>(command, (flags) =>
    call.look(flags, async (pool) => show(call, await pool.budget.show(), await pool.budget.scopes())),
  );
}

function setCommand(call: Call): Command {
  const command = new Command("set")
    .description(
      "Set the pool's cap, from which on spending counts; or, with --tag or --daily, that of a tag or of every day beside it.",
    )
    .argument("[usd]", "dollars, or none for no cap")
    .option("--usd <usd>", "the same")
    .option("--tag <tag>", "what tasks with this tag may spend")
    .option("--daily", "what all tasks of a day may spend")
    .option("--renews <period>", "none, day or week: when spending counts anew by itself", "none");
  return call.carryOut<SetFlags>(command, (flags, [given]) => {
    const text = amountText(given as string | undefined, flags.usd);
    if (flags.tag !== undefined || flags.daily === true) return setScope(call, flags, capOf(text));
    const renews = periods.find((period) => period === flags.renews);
    if (renews === undefined) {
      throw invalidOptions(
        `--renews: expected one of ${periods.join(", ")}, got ${JSON.stringify(flags.renews)}.`,
        "--renews",
      );
    }
    const cap = capOf(text);
    return call.look(flags, async (pool) => {
      await show(
        call,
        await pool.budget.set(cap === undefined ? { renews } : { usd: cap, renews }),
        await pool.budget.scopes(),
      );
      warnOfFile(call, flags);
    });
  });
}

interface SetFlags extends CommonFlags {
  readonly renews: string;
  readonly usd?: string;
  readonly tag?: string;
  readonly daily?: boolean;
}

function amountText(given: string | undefined, flag: string | undefined): string {
  const amounts = [given, flag].filter((text) => text !== undefined);
  const [only] = amounts;
  if (only !== undefined && amounts.length === 1) return only;
  throw invalidOptions("usd: give the amount once, as an argument or with --usd: dollars, or none.", "usd");
}

async function setScope(call: Call, flags: SetFlags, cap: number | undefined): Promise<void> {
  if (flags.tag !== undefined && flags.daily === true) {
    throw invalidOptions("--tag and --daily name two budgets: set one after the other.", "--daily");
  }
  const scope: BudgetScope = flags.tag === undefined ? { day: true } : { tag: flags.tag };
  await call.look(flags, async (pool) => {
    await pool.budget.setScope(scope, cap);
    await show(call, await pool.budget.show(), await pool.budget.scopes());
  });
}

function resetCommand(call: Call): Command {
  const command = new Command("reset").description("Start counting anew with the same cap.");
  return call.carryOut<CommonFlags>(command, (flags) =>
    call.look(flags, async (pool) => show(call, await pool.budget.reset(), await pool.budget.scopes())),
  );
}

function capOf(text: string): number | undefined {
  if (text === "none") return undefined;
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && value >= 0) return value;
  throw invalidOptions(`usd: expected dollars, a number of at least 0, or none, got ${JSON.stringify(text)}.`, "usd");
}

/** A cap in a file is set again by whoever opens the pool with slots: the two must not take turns unseen. */
function warnOfFile(call: Call, flags: CommonFlags): void {
  const setting = call.settings(flags).all.budgetMicrodollars;
  if (setting === undefined) return;
  call.out.say(
    `${setting.source} sets a budget too (${usd(setting.value as number)}), and the next run or serve will set that one.`,
  );
}

async function show(call: Call, budget: BudgetState, scopes: readonly ScopeBudget[]): Promise<void> {
  if (call.json) {
    await call.out.record({ ...budget, scopes });
    return;
  }
  const cap = budget.capMicrodollars === undefined ? "no cap" : `cap ${usd(budget.capMicrodollars)}`;
  const renews = budget.renews === "none" ? "" : `, renewed every ${budget.renews}`;
  await call.out.line(`${cap}${renews}`);
  // Zero: it counts from the pool's first run.
  const since = budget.sinceMs === 0 ? "" : ` since ${moment(budget.sinceMs)}`;
  await call.out.line(`${usd(budget.spentMicrodollars)} spent${since}, ${usd(budget.reservedMicrodollars)} reserved`);
  await call.out.line(`${usd(budget.totalMicrodollars)} spent in all`);
  for (const one of scopes) {
    const figures = `${usd(one.spentMicrodollars)} of ${usd(one.capMicrodollars)} spent since ${moment(one.sinceMs)}`;
    await call.out.line(oneLine(`${scopeName(one.scope)}: ${figures}, ${usd(one.reservedMicrodollars)} reserved`, 300));
  }
}
