/** What is told of every run to whoever watches runs (traces and metrics); nobody does by default. */
import type { Outcome } from "./outcome.ts";
import type { Lease } from "./records.ts";

/** Watches one run; must be quick, and must not throw. */
export interface RunWatch {
  /** For the environment of a process that is opened for this run alone. */
  readonly environment: Readonly<Record<string, string>>;
  /** Of an isolated task: its directory is ready. */
  workspaceReady(): void;
  /** Its process is there, and its turn begins. */
  turnBegins(): void;
  /** Its turn is over, or never began; what an isolated task left is saved and checked from now on. */
  turnEnded(outcome: Outcome): void;
  ended(outcome: Outcome): void;
}

/** Called at the start of each run. */
export type WatchRuns = (lease: Lease) => RunWatch;
