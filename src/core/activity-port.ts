/** The port through which the engine takes part in the activity log. */

/** A task as it speaks in the activity log: under its slot's name, and as one terminal whatever slot it is in. */
export interface ActivityTask {
  readonly taskId: string;
  readonly slotId?: string;
  /** Which of its runs speaks: each claims for itself. */
  readonly attempt: number;
  /** In the user's checkout. */
  readonly cwd: string;
  readonly paths: readonly string[];
  readonly prompt: string;
}

/** Who stands in a task's way. */
export interface Holder {
  /** Who and why, in words; text of another terminal, made harmless. */
  readonly note: string;
  /** A claim that stands; else another task that is to start first. */
  readonly isClaim: boolean;
}

/** What came of a task's claim. */
export interface ClaimAsked {
  /** The claim's id; absent where it was not granted. */
  readonly id?: string;
  /** The other's claim that stands in the way, in words. */
  readonly holder?: string;
}

/** What became of a task, for whoever reads the log. */
export interface ActivityEnd {
  readonly how: "completed" | "blocked" | "released";
  readonly summary: string;
  /** The claim that ends with it; without it every claim of the task. */
  readonly claim?: string;
}

/**
 * The activity log as slots take part in it. It is advice among terminals, so none of these ever rejects for what is wrong
 * with the log: that is reported, and the work goes on.
 */
export interface Activity {
  /**
   * For each task who stands in its way: another terminal that holds any of its paths, or a task before it in the list that is free
   * and needs the same. Undefined: nobody.
   */
  holders(tasks: readonly ActivityTask[]): Promise<readonly (Holder | undefined)[]>;
  /** Claims the task's paths. */
  claim(task: ActivityTask): Promise<ClaimAsked>;
  /** Lets its claim live on. */
  renew(task: ActivityTask): Promise<void>;
  /** Ends its claim, and says how it ended. */
  end(task: ActivityTask, end: ActivityEnd): Promise<void>;
  /** What others wrote that concerns the task, as text for the model. */
  news(task: ActivityTask): Promise<string | undefined>;
  /** What hooks and tools in the slot's process are to know of who they are. */
  environment(slotId: string, cwd: string): Readonly<Record<string, string>>;
}
