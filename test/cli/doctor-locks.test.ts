/** Which of a repository's locks `doctor` takes for left over. */
import { realpathSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { systemProcesses } from "../../src/runner/processes.ts";
import { beginRepository } from "../git-repository.ts";
import { rig } from "./rig.ts";

it("a lock of the pool is left over only if no living process of this machine holds it, however old it is", async () => {
  const place = rig();
  onTestFinished(() => place[Symbol.dispose]());
  beginRepository(place.project);
  const { self, bootId } = systemProcesses();
  const holder = { pid: self.pid, start_time: self.startTime, boot_id: bootId, hostname: hostname() };
  const minutesAgo = Date.now() / 1_000 - 600;
  const lockOf = (name: string, content: string): string => {
    const path = join(realpathSync(place.project), ".git", `claude-pool-${name}.lock`);
    writeFileSync(path, content);
    utimesSync(path, minutesAgo, minutesAgo);
    return path;
  };
  lockOf("pool-worktree-1", JSON.stringify(holder));
  const left = [
    lockOf("dead", JSON.stringify({ ...holder, start_time: "never" })),
    lockOf("elsewhere", JSON.stringify({ ...holder, hostname: "another" })),
    lockOf("unknown", "half a lo"),
  ];
  const { stdout } = await place.run(["doctor", "--json"]);
  const findings = stdout.split("\n").filter((line) => line.includes('"locks"'));
  const { state, found } = JSON.parse(findings[0] ?? "{}") as { readonly state: string; readonly found: string };
  const named = [...found.matchAll(/(\S+) \(for /g)].map(([, path]) => path);
  expect([state, named.toSorted()]).toEqual(["warning", left.toSorted()]);
});
