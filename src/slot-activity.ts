/**
 * The pool's slots in the activity log: each task speaks there as one terminal, under the name of the slot that it is in.
 *
 * Everything is advice among terminals: what is wrong with the log is reported once, and the work goes on.
 */
import { statSync } from "node:fs";
import type { ActivityLog } from "./activity-log.ts";
import { groundOf, type Environment } from "./activity/place.ts";
import type { Activity, ActivityEnd, ActivityTask, ClaimAsked, Holder } from "./core/activity-port.ts";
import { titleOf } from "./core/workspace.ts";

export interface SlotActivityOptions {
  /** The process's environment with the pool's own additions: it says where the log lies. */
  readonly env: Environment;
  readonly report: (error: unknown) => void;
}

/** Opens the slots' side of the log; nothing is made on the disk before a task that names paths runs. */
export function slotActivity(options: SlotActivityOptions): Activity {
  return new FileActivity(options);
}

interface Place {
  readonly root: string;
  readonly file: string;
  readonly project: string;
  /** By slot. */
  readonly environments: Map<string, Readonly<Record<string, string>>>;
}

const nothing = Promise.resolve(undefined);

class FileActivity implements Activity {
  readonly #options: SlotActivityOptions;
  readonly #places = new Map<string, Place>();

  constructor(options: SlotActivityOptions) {
    this.#options = options;
  }

  async holders(tasks: readonly ActivityTask[]): Promise<readonly (Holder | undefined)[]> {
    const { env, report } = this.#options;
    const found = await this.#attempt(async () => (await import("./slot-news.ts")).holdersOf(tasks, env, report));
    return found ?? tasks.map(() => undefined);
  }

  async claim(task: ActivityTask): Promise<ClaimAsked> {
    const asked = await this.#attempt(async () => {
      const log = await this.#log(task);
      const hosts = await import("./activity/task-host.ts");
      const { folder, project } = groundOf(task.cwd, this.#options.env);
      hosts.noteHost(folder, { ...task, label: log.instance, project });
      const { granted, entry, conflict } = await log.claim({
        affects: task.paths,
        topic: topicOf(task),
        // Each run's claim is one of its own, so that the end of one leaves that of the next.
        summary: `Task ${task.taskId} of the pool, run ${String(task.attempt)}.`,
      });
      if (granted && entry !== undefined) return { id: entry.id };
      hosts.forgetHost(folder, task);
      return conflict === undefined ? {} : { holder: (await import("./slot-news.ts")).holderText(conflict) };
    });
    return asked ?? {};
  }

  async renew(task: ActivityTask): Promise<void> {
    await this.#attempt(async () => (await this.#log(task)).renew());
  }

  async end(task: ActivityTask, { how, summary, claim }: ActivityEnd): Promise<void> {
    await this.#attempt(async () => {
      const log = await this.#log(task);
      // Without a `ref` the same topic ends the claim (K2 of activity/claims.ts).
      const ref = claim === undefined ? {} : { ref: claim };
      const text = summary.slice(0, maxSummary);
      await log.post({ action: how, topic: topicOf(task), summary: text, affects: task.paths, ...ref });
      (await import("./activity/task-host.ts")).forgetHost(groundOf(task.cwd, this.#options.env).folder, task);
    });
  }

  news(task: ActivityTask): Promise<string | undefined> {
    // Of most projects there is no log: then a run costs one look at the file system, and nothing is loaded.
    const file = this.#place(task.cwd)?.file;
    if (file !== undefined && statSync(file, { throwIfNoEntry: false }) === undefined) return nothing;
    return this.#attempt(async () => (await import("./slot-news.ts")).newsFor(task, this.#options.env));
  }

  environment(slotId: string, cwd: string): Readonly<Record<string, string>> {
    const place = this.#place(cwd);
    // A directory that is gone: the process's own start says so, and of which task.
    if (place === undefined) return { POOL_INSTANCE: slotId };
    const known = place.environments.get(slotId);
    if (known !== undefined) return known;
    const environment = { POOL_HOME: place.root, POOL_PROJECT: place.project, POOL_INSTANCE: slotId };
    place.environments.set(slotId, environment);
    return environment;
  }

  /** Looked up once: every lease asks. */
  #place(cwd: string): Place | undefined {
    const known = this.#places.get(cwd);
    if (known !== undefined) return known;
    try {
      const { folder, project } = groundOf(cwd, this.#options.env);
      const place = {
        root: folder.root,
        file: folder.file,
        project,
        environments: new Map<string, Readonly<Record<string, string>>>(),
      };
      this.#places.set(cwd, place);
      return place;
    } catch {
      return undefined;
    }
  }

  async #log(task: ActivityTask): Promise<ActivityLog> {
    const { openActivityLog } = await import("./open-activity-log.ts");
    const { cwd, taskId, slotId = "pool" } = task;
    return openActivityLog({ cwd, instance: slotId, sessionId: taskId, env: this.#options.env });
  }

  async #attempt<T>(body: () => Promise<T>): Promise<T | undefined> {
    try {
      return await body();
    } catch (error) {
      this.#options.report(error);
      return undefined;
    }
  }
}

const maxSummary = 600;

/** The claim and its end have one topic, which no other task has. */
function topicOf({ taskId, prompt }: ActivityTask): string {
  return `${titleOf(prompt)} (${taskId})`;
}
