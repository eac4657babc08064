/** The one composition root: records, runner and engine are joined here and nowhere else. */
import { realpathSync } from "node:fs";
import { hostname } from "node:os";
import { resolve } from "node:path";
import { checkDirectory } from "./admission.ts";
import { systemClock } from "./clock.ts";
import type { OpenPoolOptions } from "./core/api.ts";
import { microdollars } from "./core/budget.ts";
import { defaultConfig, defined, type PoolConfig } from "./core/config.ts";
import { newHostId } from "./core/ids.ts";
import type { Clock } from "./core/ports.ts";
import type { WatchRuns } from "./core/run-watch.ts";
import type { SlotConfig } from "./core/task.ts";
import type { EngineParts } from "./engine/parts.ts";
import { homesOf, openSkills } from "./open-skills.ts";
import { insideSlot, recordsInsideSlot, refuseInsideSlot } from "./inside-slot.ts";
import { Pool } from "./pool.ts";
import { storePath } from "./project.ts";
import { openRecords } from "./records/open-records.ts";
import { openSqlite } from "./records/sqlite/driver.ts";
import { claudeRunner, type ClaudeRunnerOptions } from "./runner/claude/claude-runner.ts";
import { systemProcesses } from "./runner/processes.ts";
import { slotActivity } from "./slot-activity.ts";
import { lazyWorkspaces } from "./workspace/lazy-workspaces.ts";
import { parsePoolOptions, refuseBypass } from "./schema/parse.ts";
import { workerTools } from "./worker-tools.ts";

/**
 * Opens a project's pool; any number of processes may have it open.
 *
 * @throws {PoolError} `invalid_options`, `cwd_not_found`, `claude_not_found`, `sqlite_too_old`, every `store_*` code, and
 *   `inside_slot` with slots in a process that a slot's worker started.
 * @example
 * await using pool = await openPool({ slots: 4, budgetUsd: 20, permissionMode: "acceptEdits" });
 * const { output } = await pool.run("Summarise src/");
 */
export async function openPool(options: OpenPoolOptions = {}): Promise<Pool> {
  const given = parsePoolOptions(options);
  const cwd = resolve(given.cwd ?? ".");
  checkDirectory(cwd);
  const config = poolConfig(given);
  // A store or a runner of the caller's own is no pool that a worker could open by accident.
  const isOwn = given.store === ":memory:" || given.runner !== undefined;
  const inside = isOwn ? undefined : insideSlot(process.env);
  if (inside !== undefined && slotConfigs(given.slots ?? 1).length > 0) refuseInsideSlot(process.env);
  refuseBypass(config.permissionMode, config.allowBypassPermissions);
  const store = given.store ?? storePath(cwd);
  const clock = given.clock ?? systemClock;
  const sql = await openSqlite(store);
  const opened = await openRecords({ sql, clock, governor: config });
  const records = inside === undefined ? opened : recordsInsideSlot(opened, inside);
  const processes = given.processes ?? systemProcesses();
  const parts: EngineParts = {
    records,
    runner: given.runner ?? claudeRunner(runnerOptions(config)),
    workspaces: lazyWorkspaces(defined({ processes, baseDirectory: config.worktreeBaseDir })),
    activity: config.activityLog ? slotActivity({ env: { ...process.env, ...config.env }, report: warn }) : undefined,
    clock,
    processes,
    machine: { bootId: processes.bootId, hostname: hostname() },
    config,
    workerTools: workerTools({ records, clock, config }),
    ...(inside?.depth === undefined ? {} : { depth: inside.depth + 1 }),
    cwd: realpathSync(cwd),
    ...(isTelemetryRegistered() ? { watch: await runWatch(clock) } : {}),
    report: warn,
  };
  // As Claude itself has it: what the pool adds to the environment may say where the user's folders are.
  const homes = { ...homesOf({ ...process.env, ...config.env }), ...given.homes };
  const pool = new Pool(parts, store, openSkills(parts.cwd, homes));
  try {
    await begin(pool, parts, given);
  } catch (error) {
    await pool.close();
    throw error;
  }
  return pool;
}

async function begin(pool: Pool, parts: EngineParts, options: OpenPoolOptions): Promise<void> {
  const { budgetMicrodollars } = parts.config;
  if (budgetMicrodollars !== undefined) {
    // Opening with the same cap goes on counting, and renewing as it did unless the caller says otherwise.
    const renews = options.budgetRenews ?? (await parts.records.budget()).renews;
    await parts.records.setBudget(budgetMicrodollars, renews);
  }
  const slots = slotConfigs(options.slots ?? 1);
  if (slots.length === 0) return;
  for (const slot of slots) refuseBypass(slot.permissionMode, parts.config.allowBypassPermissions);
  await parts.records.setShutdown(false);
  await pool.attach({ id: newHostId(), kind: options.kind ?? "library", slots });
  if (options.kind === "serve" || options.kind === "mcp") pool.webhooks.deliver();
}

/** Where the OpenTelemetry API keeps what was registered: without that nothing is loaded, made or counted. */
function isTelemetryRegistered(): boolean {
  return Symbol.for("opentelemetry.js.api.1") in globalThis;
}

async function runWatch(clock: Clock): Promise<WatchRuns> {
  const { runTelemetry } = await import("./telemetry/run-telemetry.ts");
  return runTelemetry(clock);
}

function runnerOptions(config: PoolConfig): ClaudeRunnerOptions {
  const { claude, env, killGraceMs, processNamespace } = config;
  return {
    // The pool's own additions decide where Claude keeps its transcripts, so the runner must know them from the start.
    env: { ...process.env, ...env },
    killGraceMs,
    processNamespace,
    ...(claude === undefined ? {} : { executable: claude }),
  };
}

function slotConfigs(slots: number | readonly SlotConfig[]): readonly SlotConfig[] {
  return typeof slots === "number" ? Array.from({ length: slots }, () => ({})) : slots;
}

function poolConfig(options: OpenPoolOptions): PoolConfig {
  const {
    budgetUsd,
    slots: _slots,
    cwd: _cwd,
    store: _store,
    homes: _homes,
    kind: _kind,
    runner: _runner,
    clock: _clock,
    processes: _processes,
    ...settings
  } = options;
  return {
    ...defaultConfig,
    ...settings,
    ...(budgetUsd === undefined ? {} : { budgetMicrodollars: microdollars(budgetUsd) }),
  };
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : new Error(String(error)));
}
