import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Skill } from "../../src/core/skill.ts";
import { commandsOf, withCommandsRun } from "../../src/skills/commands.ts";
import { processesNaming } from "../e2e/real-pool.ts";
import { tempFolder } from "../records/temp-store.ts";

function skill(prompt: string): Skill {
  return { name: "s", description: "d", prompt, arguments: [], scope: "task", source: "user" };
}

async function limits(timeoutMs = 10_000) {
  return { cwd: await tempFolder(), timeoutMs, maxBytes: 100 };
}

describe("a command inside a skill", () => {
  it.each([
    ["!`a`\n see !`b c` and (!`d`) or Wow!`e` or !`f", ["a", "b c"]],
    ["```!\na\nb\n```\n```sh\nc\n```", ["a\nb"]],
    ["none `here`!", []],
  ])("is found in %j: %j", (prompt, expected) => {
    expect(commandsOf(prompt)).toEqual(expected);
  });

  it("is replaced by what it prints, whatever is in it, and no more than the bound of it", async () => {
    const prompt = "A !`printf 'x $0 !\\140id\\140 \\n\\n'` B\n```!\nhead -c 300 /dev/zero | tr '\\0' y\n```\nC";
    const done = await withCommandsRun(skill(prompt), await limits());
    expect(done.prompt).toBe(`A x \\$0 !\`id\` B\n${"y".repeat(100)}\n[cut: 300 bytes were printed]\nC`);
  });

  it("is ended with all it started when it takes too long", async () => {
    const cwd = await tempFolder();
    const call = withCommandsRun(skill(`!\`sh -c "tail -f /dev/null ${cwd}" & tail -f /dev/null ${cwd}\``), {
      cwd,
      timeoutMs: 100,
      maxBytes: 100,
    });
    await expect(call).rejects.toMatchObject({
      code: "skill_command_failed",
      message: expect.stringContaining("longer than 100 ms") as string,
    });
    expect(processesNaming(cwd)).toEqual([]);
  });

  it("ends with its own end even if something that has left it holds its output open, and leaves nothing in the background", async () => {
    const { cwd } = await limits();
    const leave = "setsid sh -c 'echo $$ > pid; exec sleep 60' & while [ ! -s pid ]; do :; done; echo done";
    const own = await withCommandsRun(skill(`!\`tail -q -f /dev/null ${cwd} & echo done\``), await limits());
    const left = await withCommandsRun(skill(`!\`${leave}\``), { cwd, timeoutMs: 10_000, maxBytes: 100 });
    const pid = Number(readFileSync(join(cwd, "pid"), "utf8"));
    // Where nothing shows which command it is of, what has left is out of reach.
    if (process.platform !== "linux") process.kill(pid, "SIGKILL");
    expect([own.prompt, left.prompt, pid > 1, processesNaming(cwd)]).toEqual(["done", "done", true, []]);
  });
});
