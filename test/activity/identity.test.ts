import { expect, it } from "vitest";
import { sidOf } from "../../src/activity/entry.ts";
import { labelFor, type Naming, subagentLabel } from "../../src/activity/identity.ts";

const sessionId = "0c6f7f5e-1111-4222-8333-944455556666";

it.each<readonly [string, Partial<Naming>, string]>([
  ["POOL_INSTANCE first", { env: { POOL_INSTANCE: "P", CLAUDE_INSTANCE: "C" }, title: "T", kept: "K" }, "P"],
  ["then CLAUDE_INSTANCE", { env: { CLAUDE_INSTANCE: "C" }, title: "T", kept: "K" }, "C"],
  ["then the title", { title: "login rework!", kept: "K" }, "login-rework"],
  ["then the name it had", { kept: "K" }, "K"],
  ["past what is empty or no label", { env: { POOL_INSTANCE: " ", CLAUDE_INSTANCE: "…" }, title: "", kept: "K" }, "K"],
])("takes %s", (_, naming, label) => {
  expect(labelFor({ env: {}, sessionId, ...naming })).toBe(label);
});

it("gives a terminal without a name two words, the same every time", () => {
  const name = labelFor({ env: {}, sessionId });
  expect([/^[a-z]+-[a-z]+$/.test(name), labelFor({ env: {}, sessionId }) === name]).toEqual([true, true]);
});

it("gives another name where one is taken, and at the last the hash", () => {
  const taken = new Set<string>();
  const names = [1, 2, 3].map(() => {
    const name = labelFor({ env: {}, sessionId }, taken);
    taken.add(name);
    return name;
  });
  expect([new Set(names).size, labelFor({ env: {}, sessionId }, taken)]).toEqual([
    3,
    `s-${sidOf(sessionId).slice(0, 8)}`,
  ]);
});

it("names a subagent after its terminal, within the length of a label", () => {
  expect([subagentLabel("A", "general-purpose"), subagentLabel("x".repeat(32), "Explore").length]).toEqual([
    "A.general-purp",
    32,
  ]);
});
