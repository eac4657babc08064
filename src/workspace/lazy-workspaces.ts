/** The workspaces of one process, loaded with their first use: most pools isolate nothing, and all of it is forty modules. */
import { join } from "node:path";
import type { Workspaces } from "../core/workspaces-port.ts";
import type { WorkspacesOptions } from "./open-workspaces.ts";
import { baseDirectory } from "./places.ts";

/** As `openWorkspaces`. */
export function lazyWorkspaces(options: WorkspacesOptions): Workspaces {
  let opened: Promise<Workspaces> | undefined;
  const all = (): Promise<Workspaces> =>
    (opened ??= import("./open-workspaces.ts").then(({ openWorkspaces }) => openWorkspaces(options)));
  return {
    pathOf: ({ repository, poolId, name }) => join(baseDirectory(repository, options.baseDirectory), poolId, name),
    repositoryOf: async (...given) => (await all()).repositoryOf(...given),
    alone: async (...given) => (await all()).alone(...given),
    prepare: async (...given) => (await all()).prepare(...given),
    verify: async (...given) => (await all()).verify(...given),
    save: async (...given) => (await all()).save(...given),
    check: async (...given) => (await all()).check(...given),
    land: async (...given) => (await all()).land(...given),
    conflicts: async (...given) => (await all()).conflicts(...given),
    moveBranch: async (...given) => (await all()).moveBranch(...given),
    diff: async (...given) => (await all()).diff(...given),
    restore: async (...given) => (await all()).restore(...given),
    find: async (...given) => (await all()).find(...given),
    rescue: async (...given) => (await all()).rescue(...given),
    remove: async (...given) => (await all()).remove(...given),
    savedRefs: async (...given) => (await all()).savedRefs(...given),
    dropRef: async (...given) => (await all()).dropRef(...given),
    branchWith: async (...given) => (await all()).branchWith(...given),
  };
}
