/** A real Claude CLI on a scripted model, in a home and a folder of its own. */
import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { defined } from "../../src/core/config.ts";
import type { Outcome } from "../../src/core/outcome.ts";
import type { EndCause, LaunchSpec, Runner, SlotProcess, TurnEvent, TurnSpec } from "../../src/core/runner-port.ts";
import { claudeRunner, type ClaudeRunnerOptions } from "../../src/runner/claude/claude-runner.ts";
import { processTable } from "../../src/runner/process-table.ts";
import { startScriptedApi, type ScriptedApi } from "../../src/testing/index.ts";

export interface Ran {
  readonly outcome: Outcome;
  readonly events: readonly TurnEvent[];
}

export interface Rig extends AsyncDisposable {
  readonly api: ScriptedApi;
  readonly runner: Runner;
  readonly home: string;
  readonly cwd: string;
  /** Opens a process; it is closed with the rig. */
  open(launch?: Partial<LaunchSpec>, how?: { readonly resume?: string }): Promise<SlotProcess>;
  /** Writes a file below the working folder. */
  write(path: string, content: string): Promise<string>;
}

export interface RigOptions extends Partial<ClaudeRunnerOptions> {
  readonly auth?: "key" | "subscription";
  /** The user's settings.json. */
  readonly settings?: object;
}

export async function startRig(options: RigOptions = {}): Promise<Rig> {
  const { auth = "key", settings, env = {}, ...rest } = options;
  const root = await realpath(await mkdtemp(join(tmpdir(), "claude-pool-runner-")));
  const [home, cwd] = [join(root, "home"), join(root, "work")];
  await mkdir(join(home, ".claude"), { recursive: true });
  await mkdir(cwd);
  if (settings !== undefined) await writeFile(join(home, ".claude", "settings.json"), JSON.stringify(settings));
  const api = await startScriptedApi();
  const runner = claudeRunner({
    killGraceMs: 1_000,
    processNamespace: "auto",
    ...rest,
    env: { PATH: process.env["PATH"], ...api.environment(home, auth), ...env },
  });
  return {
    api,
    runner,
    home,
    cwd,
    open: (launch, how) => runner.open({ ...launchSpec(cwd), ...launch }, how),
    async write(path, content) {
      const file = join(cwd, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
      return file;
    },
    async [Symbol.asyncDispose]() {
      await runner.close();
      await api.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

export function launchSpec(cwd: string): LaunchSpec {
  return {
    cwd,
    env: {},
    replaceSystemPrompt: false,
    mcpServers: {},
    strictMcpConfig: true,
    allowBypassPermissions: false,
  };
}

export function turnSpec(prompt: string, overrides: Partial<TurnSpec> = {}): TurnSpec {
  return defined<TurnSpec>({
    runId: randomUUID(),
    prompt,
    permissionMode: "default",
    allowedTools: [],
    disallowedTools: [],
    silenceTimeoutMs: 60_000,
    ...overrides,
  });
}

/** Runs a turn to its end. */
export async function run(
  slot: SlotProcess,
  prompt: string,
  overrides: Partial<TurnSpec> = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<Ran> {
  const events: TurnEvent[] = [];
  const outcome = await slot.turn(turnSpec(prompt, overrides), signal, (event) => {
    events.push(event);
    return undefined;
  });
  return { outcome, events };
}

export interface Begun {
  readonly ran: Promise<Ran>;
  /** Resolves at the turn's first event of this type. */
  heard(type: TurnEvent["type"]): Promise<void>;
  end(cause: EndCause): void;
}

/** A turn under way, with the means to end it. */
export function begin(slot: SlotProcess, prompt: string, overrides: Partial<TurnSpec> = {}): Begun {
  const controller = new AbortController();
  const events: TurnEvent[] = [];
  const waiting: { readonly type: TurnEvent["type"]; readonly resolve: () => void }[] = [];
  const outcome = slot.turn(turnSpec(prompt, overrides), controller.signal, (event) => {
    events.push(event);
    for (const waiter of waiting) if (waiter.type === event.type) waiter.resolve();
  });
  return {
    ran: outcome.then((ended) => ({ outcome: ended, events })),
    heard: (type) =>
      new Promise((resolve) => {
        if (events.some((event) => event.type === type)) resolve();
        else waiting.push({ type, resolve });
      }),
    end: (cause) => {
      controller.abort(cause);
    },
  };
}

/** The parts of an outcome that its ending is told by. */
export function ending(outcome: Outcome): { readonly kind: string; readonly reason?: string | undefined } {
  return { kind: outcome.kind, reason: outcome.result.reason };
}

/** How many live processes carry this marker. */
export async function countMarked(marker: string): Promise<number> {
  const table = processTable();
  const alive = (await table.list()).filter((entry) => !entry.zombie);
  return (
    await table.marked(
      alive.map((entry) => entry.pid),
      marker,
    )
  ).size;
}

/** The live processes that were started with this text in their command line. */
export async function countRunning(text: string): Promise<number> {
  const { readFile } = await import("node:fs/promises");
  const alive = (await processTable().list()).filter((entry) => !entry.zombie && entry.pid !== process.pid);
  const lines = await Promise.all(
    alive.map(({ pid }) => readFile(`/proc/${String(pid)}/cmdline`, "latin1").catch(() => "")),
  );
  return lines.filter((line) => line.includes(text) && !line.includes("vitest")).length;
}
