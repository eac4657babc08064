/** Whatever stands in a directory comes back byte for byte, staged as staged, after the directory is gone. */
import { chmodSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { git, rig, stateOf, write } from "./place-rig.ts";

const names = [
  "a.txt",
  "packages/app/index.js",
  "src/very deep/ünïcode ✓.md",
  "with\nnewline",
  "-dash",
  "*.star",
  "plain",
  "packages/app/other",
  '"quoted"',
  "tab\tname",
];

type Step =
  | { readonly do: "write"; readonly name: string; readonly bytes: Uint8Array }
  | { readonly do: "delete" | "stage" | "exec" | "link" | "unstage" | "rename"; readonly name: string }
  | { readonly do: "commit" | "stageAll" | "ignored" };

const name = fc.constantFrom(...names);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant("write" as const), name, bytes: fc.uint8Array({ maxLength: 40 }) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "delete" as const,
        "stage" as const,
        "exec" as const,
        "link" as const,
        "unstage" as const,
        "rename" as const,
      ),
      name,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom("commit" as const, "stageAll" as const, "ignored" as const) }),
  },
);

it("random trees of staged, unstaged, untracked, renamed and binary files survive save, remove and restore", async () => {
  const { workspaces, repository, prepare, save, place } = rig();
  let number = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
      number += 1;
      const owner = `task-${String(number)}`;
      const made = await prepare(owner, { path: place(`worktree-${String(number)}`) });
      for (const one of steps) take(made.path, one);
      const before = stateOf(made.path);
      const saved = await save(owner, made);
      const untouched = stateOf(made.path);
      await workspaces.remove(made.path, repository);
      const again = await prepare(owner, {
        path: place(`worktree-${String(number)}-again`),
        start: "saved",
        before: saved,
      });
      expect({ untouched, restored: stateOf(again.path) }).toEqual({ untouched: before, restored: before });
      await workspaces.remove(again.path, repository);
    }),
    { numRuns: Number(process.env.PROPERTY_RUNS ?? 12) },
  );
}, 240_000);

/** A step that git refuses (nothing to rename, nothing to commit) is no step. */
function take(path: string, one: Step): void {
  try {
    act(path, one);
  } catch {
    // refused
  }
}

function act(path: string, one: Step): void {
  switch (one.do) {
    case "write":
      write(path, { [one.name]: one.bytes });
      break;
    case "delete":
      rmSync(join(path, one.name));
      break;
    case "stage":
      git(path, "--literal-pathspecs", "add", "-A", "--", one.name);
      break;
    case "unstage":
      git(path, "--literal-pathspecs", "rm", "-q", "--cached", "--", one.name);
      break;
    case "exec":
      chmodSync(join(path, one.name), 0o755);
      break;
    case "link":
      mkdirSync(dirname(join(path, one.name)), { recursive: true });
      rmSync(join(path, one.name), { force: true });
      symlinkSync("../some where/else", join(path, one.name));
      break;
    case "rename":
      git(path, "mv", "--", one.name, `${one.name}-moved`);
      break;
    case "commit":
      git(path, "commit", "-q", "-m", "A step");
      break;
    case "stageAll":
      git(path, "add", "-A");
      break;
    case "ignored":
      write(path, { "debug.log": "noise", "node_modules/x/index.js": "1" });
      break;
  }
}
