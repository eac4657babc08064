import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { openPool } from "../../src/index.ts";
import { startScriptedApi, text } from "../../src/testing/index.ts";

/** A pool of one slot on the real CLI, which asks a scripted API; all of it gone when the test ends. */
async function setup() {
  const folder = mkdtempSync(join(tmpdir(), "claude-pool-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const api = await startScriptedApi();
  onTestFinished(() => api.close());
  const pool = await openPool({ cwd: folder, store: ":memory:", env: api.environment(join(folder, "home")) });
  onTestFinished(() => pool.close());
  return { api, pool };
}

it("answers with the text of the model", async () => {
  const { api, pool } = await setup();
  api.on("Summarise", text("It is short."));

  const { output, success, turnsUsed } = await pool.run("Summarise the notes");

  expect({ output, success, turnsUsed }).toEqual({ output: "It is short.", success: true, turnsUsed: 1 });
});
