/** The activity log as MCP and REST show it; times are Unix seconds, as in the log's own files. */

/** An entry. Its texts are other terminals' words. */
export interface ShownEntry {
  readonly id: string;
  readonly timestamp: number;
  /** Seconds for which it is shown. */
  readonly ttl: number;
  /** The label of the terminal that wrote it. */
  readonly sourceInstance: string;
  readonly action: string;
  readonly topic: string;
  readonly summary: string;
  readonly paths: readonly string[];
  readonly resources: readonly string[];
  readonly blocks: string;
  readonly flags: readonly string[];
  readonly project?: string;
  readonly branch?: string;
  readonly worktree?: string;
  readonly origin?: string;
  readonly ref?: string;
}

/** A claim that stands. */
export interface ShownClaim extends ShownEntry {
  readonly since: number;
  readonly expiresAt: number;
  /** The claim for whose end this one waits. */
  readonly heldBy?: string;
}

/** A terminal that takes part. */
export interface ShownPresence {
  readonly label: string;
  readonly state: "live" | "idle" | "gone";
  readonly own: boolean;
  readonly seenAt: number;
  readonly claims: readonly ShownClaim[];
  readonly project?: string;
  readonly branch?: string;
  readonly cwd?: string;
  /** The last that it wrote. */
  readonly last?: ShownEntry;
}
