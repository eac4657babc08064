/** The records' methods for places, workspaces and merges. */
import type { Records } from "../core/records.ts";
import { endMerge, takeBackMerge } from "./merge-ends.ts";
import { listMerges, mergeById, noteUndone, releaseMerge, requestMerge, takeMerge } from "./merges.ts";
import { dropPlace, listPlaces, takePlace } from "./places.ts";
import type { Parts } from "./record-parts.ts";
import { noteWorkspace } from "./workspaces.ts";

export function workspaceMethods({ sql, write }: Parts) {
  return {
    takePlace: (request) => write((change) => takePlace(change, request)),
    places: () => listPlaces(sql),
    dropPlace: (number) => write((change) => dropPlace(change, number)),
    noteWorkspace: (taskId, workspace, runId) => write((change) => noteWorkspace(change, taskId, workspace, runId)),
    requestMerge: (request) => write((change) => requestMerge(change, request)),
    takeMerge: (holder, isDead) => write((change) => takeMerge(change, holder, isDead)),
    endMerge: (id, end) => write((change) => endMerge(change, id, end)),
    releaseMerge: (id) => write((change) => releaseMerge(change, id)),
    cancelMerge: (id) => write((change) => takeBackMerge(change, id)),
    noteUndone: (id) => write((change) => noteUndone(change, id)),
    merge: (id) => mergeById(sql, id),
    merges: (filter, limit) => listMerges(sql, filter, limit),
  } satisfies Partial<Records>;
}
