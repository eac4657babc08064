/** An old git, played by a script: it says its version, and nothing else is asked of it. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { rig } from "./place-rig.ts";

it("a git that is too old is told so, with what to do, and is asked again by the next", async () => {
  const { prepare } = rig();
  const folder = mkdtempSync(join(tmpdir(), "old-git-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "git"), "#!/bin/sh\necho git version 2.30.2\n");
  chmodSync(join(folder, "git"), 0o755);
  vi.stubEnv("PATH", `${folder}:${process.env.PATH ?? ""}`);
  const refused = await prepare("task-a").catch((error: unknown) => error as { code: string; message: string });
  vi.unstubAllEnvs();
  const made = await prepare("task-a");
  expect([refused, made.branch]).toMatchObject([
    {
      code: "workspace_impossible",
      message: expect.stringMatching(/^Git 2\.30\.2 is too old .* 2\.38 or newer/) as unknown,
    },
    "claude-pool/pool-1/task-a",
  ]);
});
