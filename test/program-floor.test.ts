import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

/** What the program does on a Node that calls itself so; `--version` is the cheapest thing that it can do. */
function onNode(version: string): { readonly exit: number | null; readonly stderr: string } {
  const pretend = `Object.defineProperty(process.versions, "node", { value: "${version}" })`;
  const args = ["--import", `data:text/javascript,${encodeURIComponent(pretend)}`, "bin/claude-pool.js", "--version"];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  return { exit: status, stderr: stderr.replace(process.execPath, "NODE") };
}

it.each(["12.22.0", "18.20.1", "20.20.2", "22.22.2", "23.11.0", "24.14.9"])(
  "says in one sentence what it needs, and exits with 2, on Node %s",
  (version) => {
    expect(onNode(version)).toEqual({
      exit: 2,
      stderr: `claude-pool needs Node 22.22.3 or newer in the 22 line, or 24.15 or newer; this is Node ${version} at NODE.\n`,
    });
  },
);

it("asks for the same floor as package.json", () => {
  const { engines } = JSON.parse(readFileSync("package.json", "utf8")) as { engines: { node: string } };
  expect(engines.node).toBe("^22.22.3 || >=24.15.0");
});
