/** What a task of the pool is told of the activity log, and who holds what it needs. */
import { statSync } from "node:fs";
import { collide, isSameOwner, type Claim, type Holding } from "./activity/claims.ts";
import { sidOf } from "./activity/entry.ts";
import { harmless } from "./activity/harmless.ts";
import { shownTo } from "./activity/news.ts";
import { groundOf, type Environment, type Ground } from "./activity/place.ts";
import { readLog } from "./activity/read.ts";
import { redact } from "./activity/redact.ts";
import { compactView } from "./activity/render.ts";
import { scopeOf } from "./activity/scope.ts";
import { readLogSettings } from "./activity/settings.ts";
import { topTerms } from "./activity/words.ts";
import { standingClaims } from "./activity/write.ts";
import type { ActivityTask, Holder } from "./core/activity-port.ts";

interface Wanted extends Holding {
  readonly project: string;
}

/**
 * For each task who stands in its way: the other terminal that holds any of its paths, or the task before it that is free and
 * wants one of them too. The log is read once for all of a project. A task whose directory is gone is free: its run says so.
 */
export function holdersOf(
  tasks: readonly ActivityTask[],
  env: Environment,
  report: (error: unknown) => void,
): readonly (Holder | undefined)[] {
  const now = Date.now() / 1_000;
  const grounds = new Map<string, Ground>();
  const standing = new Map<string, readonly Claim[]>();
  const first: { readonly taskId: string; readonly wanted: Wanted }[] = [];
  return tasks.map(({ taskId, slotId = "pool", cwd, paths }) => {
    try {
      const ground = grounds.get(cwd) ?? groundOf(cwd, env);
      grounds.set(cwd, ground);
      const { project, folder } = ground;
      const claims = standing.get(project) ?? standingClaims(folder, now, project);
      standing.set(project, claims);
      const wanted: Wanted = { project, topic: "", ...scopeOf(paths, ground) };
      if (wanted.paths.length + wanted.resources.length === 0) return undefined;
      const own = { sid: sidOf(taskId), sourceInstance: slotId };
      const isInTheWay = ({ entry, heldBy }: Claim): boolean =>
        heldBy === undefined && !isSameOwner(entry, own) && collide(entry, wanted);
      const claim = claims.find(isInTheWay);
      if (claim !== undefined) return { note: holderText(claim), isClaim: true };
      const before = first.find((other) => collide(other.wanted, wanted));
      if (before !== undefined) return { note: `${before.taskId} goes first`, isClaim: false };
      first.push({ taskId, wanted });
      return undefined;
    } catch (error) {
      report(error);
      return undefined;
    }
  });
}

/** Who, since when and why: text of another terminal, in one harmless line. */
export function holderText({ entry, since }: Claim): string {
  const at = new Date(since * 1_000).toISOString().slice(0, 16);
  const what = entry.affects === "" ? "" : ` ${harmless(entry.affects, 80)}`;
  return `${harmless(entry.sourceInstance, 32)} claimed${what} at ${at}Z: ${harmless(entry.topic, 80)}`;
}

/** The entries that concern the task, as any terminal is shown them; undefined: none, or no log. */
export function newsFor(task: ActivityTask, env: Environment): string | undefined {
  const { taskId, slotId = "pool", cwd, prompt } = task;
  const { folder, project, branch } = groundOf(cwd, env);
  if (statSync(folder.file, { throwIfNoEntry: false }) === undefined) return undefined;
  const now = Date.now() / 1_000;
  const { entries } = readLog(folder, { now, project, expired: true });
  // What stands counts, however much was written since.
  const claims = standingClaims(folder, now, project);
  const known = new Set(entries.map(({ id }) => id));
  const older = claims.map(({ entry }) => entry).filter(({ id }) => !known.has(id));
  const sid = sidOf(taskId);
  const domain = readLogSettings(folder).settings.domains[slotId];
  const reader = {
    ...(domain === undefined ? {} : { domain }),
    ...(branch === undefined ? {} : { branch }),
    files: scopeOf(task.paths, placeOf(task)).paths,
    claims: claims.filter(({ entry }) => entry.sid === sid).map(({ entry }) => entry.id),
    terms: topTerms(redact(prompt.slice(0, 20_000)).text, 5),
  };
  const shown = shownTo({ label: slotId, sids: [sid], project, reader }, [...older, ...entries], claims, now);
  const view = compactView({ me: slotId, shown: shown.filter(({ isOwn }) => !isOwn), now });
  return view === "" ? undefined : view;
}

function placeOf({ cwd }: ActivityTask): { readonly top: string; readonly from: string } {
  const { top, from } = groundOf(cwd);
  return { top, from };
}
