/** Fails the tasks that a caller of this process waits for and that no settlement can make affordable any more. */
import { scopeName } from "../core/budget.ts";
import { dollars } from "../core/errors.ts";
import type { EngineParts } from "./parts.ts";

export async function failUnaffordable({ records }: EngineParts, hostId: string): Promise<void> {
  const budget = await records.budget();
  const scopes = await records.scopeBudgets();
  if (budget.reservedMicrodollars > 0) return; // what a run gives back may be enough
  const bounds = [
    ...(budget.capMicrodollars === undefined
      ? []
      : [{ name: "pool", cap: budget.capMicrodollars, spent: budget.spentMicrodollars }]),
    ...scopes.map((one) => ({
      name: scopeName(one.scope),
      cap: one.capMicrodollars,
      spent: one.spentMicrodollars,
    })),
  ];
  if (bounds.length === 0) return;
  const said = bounds.map(({ name, cap, spent }) => `${name}: ${dollars(spent)} of ${dollars(cap)} spent`);
  await records.failPending(hostId, "budget", `No budget has room for it (${said.join(", ")}).`, "budget");
}
