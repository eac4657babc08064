/** Ending the Claude process of a host that died: it goes on working until its turn ends. */
import type { ProcessIdentity } from "../../core/task.ts";
import type { ProcessTable } from "../process-table.ts";
import { startTimeOf } from "../processes.ts";
import { endAll, findFamily, signal, type Family } from "./end-processes.ts";

/** A CLI in the middle of a tool takes this long to end by itself and to write down what it has cost. */
const cleanExitMs = 3_000;

/**
 * Ends a process and everything it started; resolves when none is alive.
 *
 * The CLI is asked first, since it writes its cost on a clean exit. Its tools may have outlived it, so they are looked
 * for even if it is gone; they are known by the marker, so a pid that the system has used again is never touched.
 */
export async function endOrphan(table: ProcessTable, identity: ProcessIdentity, graceMs: number): Promise<void> {
  const isIt =
    startTimeOf(identity.pid) === identity.startTime &&
    (await table.marked([identity.pid], identity.marker)).size === 1;
  const family = familyOf(table, identity, isIt);
  if (isIt && signal(identity, "SIGTERM")) {
    await endAll(
      async () => (startTimeOf(identity.pid) === identity.startTime ? await onlyCli(table, identity) : []),
      Math.max(graceMs, cleanExitMs),
    );
  }
  await endAll(() => findFamily(table, family, false), graceMs);
}

async function onlyCli(table: ProcessTable, identity: ProcessIdentity): ReturnType<ProcessTable["list"]> {
  return (await table.list()).filter((entry) => entry.pid === identity.pid && !entry.zombie);
}

function familyOf(table: ProcessTable, identity: ProcessIdentity, alive: boolean): Family {
  const namespace = alive ? table.namespaceOf(identity.pid) : undefined;
  const own = namespace !== undefined && namespace !== table.namespaceOf(process.pid);
  return { marker: identity.marker, ...(own ? { namespace } : {}) };
}
