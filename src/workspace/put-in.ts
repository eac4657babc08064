/** Saved work put into a directory, with what was uncommitted uncommitted. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PoolError } from "../core/errors.ts";
import { within } from "./checkout.ts";
import { git, gitList, gitText } from "./git.ts";
import { inRoot, moduleRef } from "./modules.ts";
import { refAt } from "./refs.ts";
import { readSaved, type Saved, type SavedModule } from "./saved-commit.ts";
import type { Root } from "./standing.ts";

/** Where the work comes from. */
export interface Source {
  /** The git common directory. */
  readonly repository: string;
  readonly owner: string;
}

/** Makes a directory that stands clean at the saved HEAD what it was when it was saved. */
export async function putIn(root: Root, saved: Saved, source: Source, signal?: AbortSignal): Promise<void> {
  const call = { ...within(root, signal), timeoutMs: 600_000 };
  const headTree = saved.head === undefined ? undefined : await gitText(["rev-parse", `${saved.head}^{tree}`], call);
  if (saved.tree !== headTree) await git(["read-tree", "--reset", "-u", saved.tree], call);
  // One in place of git's own pointer stays on its ref.
  const nested = saved.modules.filter(({ path }) => path !== inRoot);
  for (const module of nested) await putModule(root, module, source, signal);
  if (saved.tree !== headTree || saved.indexTree !== headTree) {
    await git(["read-tree", "--reset", saved.indexTree], call);
    await git(["update-index", "-q", "--refresh"], { ...call, answers: [1] });
  }
  if (saved.conflicts !== undefined) await putConflicts(saved.conflicts, root, signal);
  if (saved.merges.length > 0) {
    await writeFile(join(root.gitDir, "MERGE_MODE"), "no-ff");
    await writeFile(join(root.gitDir, "MERGE_MSG"), `Merge ${saved.merges.map((id) => id.slice(0, 12)).join(", ")}\n`);
    await writeFile(join(root.gitDir, "MERGE_HEAD"), saved.merges.map((id) => `${id}\n`).join(""));
  }
}

async function putConflicts(conflicts: string, root: Root, signal: AbortSignal | undefined): Promise<void> {
  const call = within(root, signal);
  const lines: string[] = [];
  for (const record of await gitList(["ls-tree", "-r", "-z", conflicts], call)) {
    const [, mode, id, stage, path] = /^(\d+) \w+ ([0-9a-f]+)\t([123])\/(.+)$/s.exec(record) ?? [];
    if (mode === undefined || id === undefined || stage === undefined || path === undefined) continue;
    // All stages of a path follow its removal, which makes room for them.
    if (!lines.includes(`0 ${"0".repeat(id.length)}\t${path}`)) lines.push(`0 ${"0".repeat(id.length)}\t${path}`);
    lines.push(`${mode} ${id} ${stage}\t${path}`);
  }
  const input = lines.map((line) => `${line}\0`).join("");
  await git(["update-index", "-z", "--index-info"], { ...call, input });
}

/** A repository of its own again, at the place where it was. */
async function putModule(
  around: Root,
  module: SavedModule,
  source: Source,
  signal: AbortSignal | undefined,
): Promise<void> {
  const path = join(around.path, module.path);
  const root = { path, gitDir: join(path, ".git") };
  const ref = moduleRef(source.owner, module);
  if ((await refAt(source.repository, ref, signal)) === undefined) {
    throw new PoolError(
      "workspace_failed",
      `What was saved of the repository ${module.path} is no more: ${ref} was deleted. Everything else is there.`,
    );
  }
  await mkdir(path, { recursive: true });
  await git(["init", "--quiet", "--template=", "."], { cwd: path, signal });
  const call = within(root, signal);
  const quiet = ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--update-shallow"];
  await git(["fetch", ...quiet, source.repository, `+${ref}:refs/claude-pool-restored/${module.commit}`], call);
  const saved = await readSaved(module.commit, call);
  if (saved.head !== undefined) {
    await git(["update-ref", "--no-deref", "HEAD", saved.head], call);
    await git(["reset", "--hard", "--quiet"], call);
  }
  await putIn(root, saved, source, signal);
}
