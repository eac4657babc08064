import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runShellCommand, type ShellCommand } from "../src/shell-command.ts";
import { processesNaming } from "./e2e/real-pool.ts";
import { tempFolder } from "./records/temp-store.ts";

async function ran(command: string, more: Partial<ShellCommand> = {}) {
  let output = "";
  const cwd = more.cwd ?? (await tempFolder());
  const end = await runShellCommand({
    command,
    cwd,
    env: process.env,
    timeoutMs: 30_000,
    onOutput: (data, stream) => (output += `${stream}: ${data.toString()}`),
    ...more,
  });
  return { ...end, output };
}

describe("a shell command", () => {
  it("says how it ended and what it printed", async () => {
    expect(await ran("echo out; exit 3")).toEqual({ how: "exited", code: 3, output: "stdout: out\n" });
  });

  it("says which signal ended it", async () => {
    expect(await ran("kill -s TERM $$")).toEqual({ how: "exited", signal: "SIGTERM", output: "" });
  });

  it("is ended with all it started when it takes too long", async () => {
    const cwd = await tempFolder();
    const command = `sh -c "tail -f /dev/null ${cwd}" & tail -f /dev/null ${cwd}`;
    const end = await ran(command, { cwd, timeoutMs: 100 });
    expect([end.how, processesNaming(cwd)]).toEqual(["timed_out", []]);
  });

  it("is ended with all it started when its caller gives up, and does not begin when the caller has", async () => {
    const cwd = await tempFolder();
    const caller = new AbortController();
    const given = await ran(`tail -f /dev/null ${cwd} & echo begun; wait`, {
      cwd,
      signal: caller.signal,
      onOutput: () => {
        caller.abort();
      },
    });
    const never = await ran("echo begun", { signal: caller.signal });
    expect([given, never, processesNaming(cwd)]).toEqual([
      { how: "aborted", signal: "SIGKILL", output: "" },
      { how: "aborted", output: "" },
      [],
    ]);
  });

  it("leaves nothing of its group when it ends by itself", async () => {
    const cwd = await tempFolder();
    const end = await ran(`tail -f /dev/null ${cwd} & echo over`, { cwd });
    expect([end.code, processesNaming(cwd)]).toEqual([0, []]);
  });

  it.runIf(process.platform === "linux")(
    "leaves nothing that has left its group either, and does not wait for it",
    async () => {
      const cwd = await tempFolder();
      const leave = `setsid sh -c 'echo > "${cwd}/left"; exec tail -q -f /dev/null ${cwd} 2>/dev/null' & while [ ! -e left ]; do :; done; echo over`;
      const end = await ran(leave, { cwd });
      expect([end, processesNaming(cwd)]).toEqual([{ how: "exited", code: 0, output: "stdout: over\n" }, []]);
    },
  );

  it("does not outlive the process that started it, even one that is killed", async () => {
    const cwd = await tempFolder();
    const parent = spawn(
      process.execPath,
      [
        "--input-type=module-typescript",
        "-e",
        `import { runShellCommand } from ${JSON.stringify(join(import.meta.dirname, "../src/shell-command.ts"))};
        await runShellCommand({ command: "tail -f /dev/null ${cwd} & echo begun; wait", cwd: ${JSON.stringify(cwd)},
          env: process.env, timeoutMs: 60000, onOutput: (data) => process.stdout.write(data) });`,
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    await once(parent.stdout, "data");
    const during = processesNaming(`tail -f /dev/null ${cwd}`).length;
    parent.kill("SIGKILL");
    await once(parent, "exit");
    await gone(cwd);
    expect([during > 0, processesNaming(cwd)]).toEqual([true, []]);
  });
});

/** Waits for the end of whatever names this folder: it comes by itself, from another process. */
async function gone(cwd: string): Promise<void> {
  while (processesNaming(cwd).length > 0) await new Promise((resolve) => setImmediate(resolve));
}
