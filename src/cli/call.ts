/** One call of the program: what it was told, where it stands, and the pool it opens. */
import { realpathSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import type { OpenPoolOptions } from "../core/api.ts";
import { PoolError } from "../core/errors.ts";
import { isDirectory } from "../is-directory.ts";
import { openPool } from "../open-pool.ts";
import { homesOf } from "../open-skills.ts";
import type { Pool } from "../pool.ts";
import { storePath } from "../project.ts";
import type { ExitCode } from "./exit.ts";
import { storeFlag, type CommonFlags } from "./flags.ts";
import { layeredSettings, type LayeredSettings } from "./settings/layers.ts";
import type { Settings } from "./settings/files.ts";
import type { Io } from "./terminal/io.ts";
import { Output } from "./terminal/output.ts";

export class Call {
  readonly io: Io;
  readonly out: Output;
  exitCode: ExitCode = 0;
  json = false;

  constructor(io: Io) {
    this.io = io;
    this.out = new Output(io);
  }

  /** Makes `body` the command's action; what it returns is the exit code, 0 if nothing. */
  carryOut<Flags extends CommonFlags>(
    command: Command,
    body: (flags: Flags, args: readonly (string | readonly string[] | undefined)[]) => Promise<ExitCode | void>,
  ): Command {
    return command.action(async () => {
      const flags = command.optsWithGlobals<Flags>();
      this.json = flags.json === true;
      this.exitCode = (await body(flags, command.processedArgs as (string | string[] | undefined)[])) ?? 0;
    });
  }

  /**
   * The directory the call is about.
   *
   * @throws {PoolError} `cwd_not_found`.
   */
  directory(flags: CommonFlags): string {
    const directory = resolve(this.io.cwd, flags.cwd ?? ".");
    if (isDirectory(directory)) return realpathSync(directory);
    const text = `No directory ${JSON.stringify(directory)}. Create it, or name another with --cwd.`;
    throw new PoolError("cwd_not_found", text, { cwd: directory });
  }

  settings(flags: CommonFlags, own: Settings = {}): LayeredSettings {
    const store = storeFlag(flags.store, this.io.cwd);
    return layeredSettings({ ...own, ...(store === undefined ? {} : { store }) }, this.directory(flags), this.io.env);
  }

  storeOf(settings: Settings, flags: CommonFlags): string {
    return settings.store ?? storePath(this.directory(flags), this.io.env);
  }

  /** Opens the pool to look at it or to ask something of it; no slots, and its cap stays as it is. */
  async look<T>(flags: CommonFlags, body: (pool: Pool) => Promise<T>): Promise<T> {
    const { chosen } = this.settings(flags);
    return this.withPool(this.bare(flags, chosen), body);
  }

  /** A pool without slots. */
  bare(flags: CommonFlags, chosen: Settings): OpenPoolOptions {
    const given = Object.entries(chosen).filter(([key]) => bareSettings.has(key));
    return { ...Object.fromEntries(given), slots: 0, cwd: this.directory(flags), store: this.storeOf(chosen, flags) };
  }

  async withPool<T>(options: OpenPoolOptions, body: (pool: Pool) => Promise<T>): Promise<T> {
    const pool = await openPool({ homes: homesOf(this.io.env), ...options });
    try {
      return await body(pool);
    } finally {
      await pool.close();
    }
  }
}

/** What is possible at all, and how work is isolated, judged and merged, is the settings' to say, here as where it runs. */
const bareSettings: ReadonlySet<string> = new Set<keyof OpenPoolOptions>([
  "allowBypassPermissions",
  "skillCommands",
  "isolation",
  "worktreeIsolation",
  "baseRef",
  "checks",
  "worktreeBaseDir",
  "worktreeInclude",
  "worktreeSetup",
  "worktreeSetupTimeoutMs",
  "mergeMethod",
  "mergeTarget",
  "onMergeConflict",
]);

/** Examples at the end of a command's help. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join("\n")}\n`;
}
