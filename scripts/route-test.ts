/**
 * `npm run route-test`: how often the router is right, with your own login. Run by hand, since it costs money.
 *
 * Options: --model NAME (default haiku), --json, and words that a case's label must hold.
 */
import { parseArgs } from "node:util";
import { openPool } from "../src/open-pool.ts";
import { toWire } from "../src/core/wire.ts";
import { labelledCases, tryRoutes, type RouteCaseResult } from "../test/route/harness.ts";

const { values, positionals } = parseArgs({
  options: { model: { type: "string" }, json: { type: "boolean", default: false } },
  allowPositionals: true,
});
const cases = labelledCases().filter(
  (one) => positionals.length === 0 || positionals.some((word) => one.label.includes(word)),
);
await using pool = await openPool({ slots: 2, store: ":memory:", kind: "attached" });
const summary = await tryRoutes(
  (prompt, options) => pool.route(prompt, options),
  cases,
  values.model === undefined ? {} : { model: values.model },
  values.json ? undefined : say,
);
if (values.json) console.log(JSON.stringify(toWire(summary)));
else {
  const { correct, wrong, errors, accuracy, elapsedMs, costMicrodollars } = summary;
  const money = (costMicrodollars / 1_000_000).toFixed(4);
  console.log(
    `\n${String(correct)} right, ${String(wrong)} wrong, ${String(errors)} errors: ${String(accuracy)} % in ${(elapsedMs / 1_000).toFixed(0)} s for $${money}`,
  );
}
if (summary.correct < summary.total) process.exitCode = 1;

function say({ label, expected, got, parts, pass, error, reason }: RouteCaseResult): void {
  if (error !== undefined) console.log(`ERROR    ${label}: ${error}`);
  else if (pass) console.log(`OK       ${label}: ${String(got)} (${String(parts)})`);
  else
    console.log(
      `MISMATCH ${label}: ${String(got)} (${String(parts)}) instead of ${expected.join(" or ")}. ${reason ?? ""}`,
    );
}
