import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Records } from "../../src/core/records.ts";
import { openRecords } from "../../src/records/open-records.ts";
import { openSqlite } from "../../src/records/sqlite/driver.ts";
import { manualClock } from "../../src/testing/manual-clock.ts";
import { skillOf } from "../contract/skills.ts";
import { collect, linesOf, tempFolder } from "./temp-store.ts";

const stores = [
  ["memory", () => Promise.resolve(":memory:")],
  ["file", async () => join(await tempFolder(), "pool.db")],
] as const;

async function open(store: string): Promise<Records> {
  const records = await openRecords({ sql: await openSqlite(store), clock: manualClock(1) });
  onTestFinished(() => records.close());
  return records;
}

describe.each(stores)("skills added at run time, in %s", (_, place) => {
  it("are kept by name as they were given, replaced and removed", async () => {
    const records = await open(await place());
    await records.putSkill(skillOf("b"));
    await records.putSkill(skillOf("a"));
    await records.putSkill({ ...skillOf("b"), prompt: "other" });
    const all = await records.runtimeSkills();
    const deleted = [await records.deleteSkill("a"), await records.deleteSkill("a")];
    expect([all, deleted, (await records.runtimeSkills()).map(({ name }) => name)]).toEqual([
      [skillOf("a"), { ...skillOf("b"), prompt: "other" }],
      [true, false],
      ["b"],
    ]);
  });

  it("are exported, and another pool reads them back as they were", async () => {
    const records = await open(await place());
    await records.putSkill(skillOf("one"));
    const lines = await collect(records.exportLines());
    const copy = await open(":memory:");
    await copy.importLines(linesOf(lines));
    expect(await copy.runtimeSkills()).toEqual([skillOf("one")]);
  });

  it.each([
    ["name", "../x"],
    ["source", "builtin"],
    ["arguments", [{ name: "a" }]],
  ])("are refused by an import whose %s is %j", async (field, value) => {
    const records = await open(await place());
    await records.putSkill(skillOf("one"));
    const lines = (await collect(records.exportLines())).map((line) =>
      line.includes('"record":"skill"') ? JSON.stringify({ ...(JSON.parse(line) as object), [field]: value }) : line,
    );
    const copy = await open(":memory:");
    await expect(copy.importLines(linesOf(lines))).rejects.toMatchObject({ code: "invalid_import" });
    expect(await copy.runtimeSkills()).toEqual([]);
  });
});
