import { Command } from "commander";
import type { BudgetState } from "../../core/budget.ts";
import { invalidOptions } from "../../core/errors.ts";
import { examples, type Call } from "../call.ts";
import type { CommonFlags } from "../flags.ts";
import { moment, usd } from "../quantities.ts";

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
      examples("claude-pool budget", "claude-pool budget set 20 --renews day", "claude-pool budget set none"),
    );
}

function showCommand(call: Call): Command {
  const command = new Command("show").description("Show the cap and what is spent.");
  return call.carryOut<CommonFlags>(command, (flags) =>
    call.look(flags, async (pool) => show(call, await pool.budget.show())),
  );
}

function setCommand(call: Call): Command {
  const command = new Command("set")
    .description("Set the cap; spending counts from now on.")
    .argument("<usd>", "dollars, or none for no cap")
    .option("--renews <period>", "none, day or week: when spending counts anew by itself", "none");
  return call.carryOut<CommonFlags & { readonly renews: string }>(command, (flags, [text]) => {
    const renews = periods.find((period) => period === flags.renews);
    if (renews === undefined) {
      throw invalidOptions(
        `--renews: expected one of ${periods.join(", ")}, got ${JSON.stringify(flags.renews)}.`,
        "--renews",
      );
    }
    const cap = capOf(text as string);
    return call.look(flags, async (pool) => {
      await show(call, await pool.budget.set(cap === undefined ? { renews } : { usd: cap, renews }));
      warnOfFile(call, flags);
    });
  });
}

function resetCommand(call: Call): Command {
  const command = new Command("reset").description("Start counting anew with the same cap.");
  return call.carryOut<CommonFlags>(command, (flags) =>
    call.look(flags, async (pool) => show(call, await pool.budget.reset())),
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

async function show(call: Call, budget: BudgetState): Promise<void> {
  if (call.json) {
    await call.out.record(budget);
    return;
  }
  const cap = budget.capMicrodollars === undefined ? "no cap" : `cap ${usd(budget.capMicrodollars)}`;
  const renews = budget.renews === "none" ? "" : `, renewed every ${budget.renews}`;
  await call.out.line(`${cap}${renews}`);
  await call.out.line(
    `${usd(budget.spentMicrodollars)} spent since ${moment(budget.sinceMs)}, ${usd(budget.reservedMicrodollars)} reserved`,
  );
  await call.out.line(`${usd(budget.totalMicrodollars)} spent in all`);
}
