/** The Runner on the real Claude CLI. */
import { randomBytes } from "node:crypto";
import { realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { HookJSONOutput, Options } from "@anthropic-ai/claude-agent-sdk";
import { PoolError } from "../../core/errors.ts";
import type { LaunchSpec, Runner, SlotProcess } from "../../core/runner-port.ts";
import { processTable } from "../process-table.ts";
import { ClaudeProcess, within } from "./claude-process.ts";
import { CostMeter } from "./cost.ts";
import { claudeEnvironment } from "./environment.ts";
import { findExecutable, isAtLeast, isSdkExecutable, versionOf } from "./executable.ts";
import { probeNamespace, type Namespace } from "./namespace.ts";
import { askingOptions } from "./asking-options.ts";
import { endOrphan } from "./orphan.ts";
import { readDefaults } from "./settings.ts";
import { ClaudeSlotProcess, type TurnHooks } from "./slot-process.ts";
import { findRemains } from "./transcripts.ts";
import { readTotal } from "./turn.ts";

export interface ClaudeRunnerOptions {
  /** The Claude program; default CLAUDE_POOL_CLAUDE, else the Agent SDK's own. */
  readonly executable?: string;
  /** The environment that Claude processes inherit; default this process's. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Between asking a process to end and killing it, in milliseconds. */
  readonly killGraceMs: number;
  readonly processNamespace: "auto" | "require" | "off";
  /** Where Claude keeps its transcripts; default CLAUDE_CONFIG_DIR of `env`, else `~/.claude`. */
  readonly configDir?: string;
  /** How long a process may take to open, in milliseconds. Default 60,000. */
  readonly openTimeoutMs?: number;
}

/** Opens Claude processes through the Agent SDK. */
export function claudeRunner(options: ClaudeRunnerOptions): Runner {
  return new ClaudeRunner(options);
}

class ClaudeRunner implements Runner {
  readonly #options: ClaudeRunnerOptions;
  readonly #env: Readonly<Record<string, string | undefined>>;
  /** Every living process, those that are being opened too. */
  readonly #processes = new Map<ClaudeProcess, SlotProcess | undefined>();
  #namespace: Promise<Namespace | undefined> | undefined;

  constructor(options: ClaudeRunnerOptions) {
    this.#options = options;
    this.#env = options.env ?? process.env;
  }

  async open(
    launch: LaunchSpec,
    how: { readonly resume?: string; readonly signal?: AbortSignal } = {},
  ): Promise<SlotProcess> {
    const executable = findExecutable(this.#options.executable, this.#env);
    const cwd = realDirectory(launch.cwd);
    const namespace = await this.#probe();
    if (how.signal?.aborted === true) throw stopped();
    const marker = randomBytes(16).toString("hex");
    const hooks: TurnHooks = { context: undefined, turn: undefined };
    // Loaded with the first process: a command that opens none (list, status, submit) starts in half the time.
    const { query } = await import("@anthropic-ai/claude-agent-sdk");
    const claude = new ClaudeProcess({
      query,
      executable,
      marker,
      namespace,
      table: processTable(),
      killGraceMs: this.#options.killGraceMs,
      sdk: {
        ...sdkOptions(launch, hooks),
        ...(await askingOptions(launch, hooks)),
        mcpServersDelivery: await this.#delivery(executable, launch),
        cwd,
        env: claudeEnvironment(this.#env, launch.env, marker),
        ...(how.resume === undefined ? {} : { resume: how.resume }),
      },
    });
    this.#processes.set(claude, undefined);
    void claude.gone.then(() => this.#processes.delete(claude));
    try {
      const version = await this.#opened(claude, executable, how.signal);
      const identity = await claude.identify();
      if (identity === undefined) throw broken(executable, claude);
      const [defaults, total] = await Promise.all([
        readDefaults(claude.query),
        how.resume === undefined ? 0 : readTotal(claude),
      ]);
      const slot = new ClaudeSlotProcess({
        process: claude,
        identity,
        cliVersion: version ?? (await versionOf(executable, { ...this.#env })) ?? "unknown",
        namesMessages: version !== undefined,
        launch,
        cwd,
        executable,
        meter: new CostMeter(total),
        defaults,
        killGraceMs: this.#options.killGraceMs,
        hooks,
      });
      if (claude.ending === undefined) this.#processes.set(claude, slot);
      return slot;
    } catch (error) {
      await claude.close(false);
      throw error;
    }
  }

  endOrphan(identity: Parameters<Runner["endOrphan"]>[0]): Promise<void> {
    return endOrphan(processTable(), identity, this.#options.killGraceMs);
  }

  remains(run: Parameters<Runner["remains"]>[0]): ReturnType<Runner["remains"]> {
    const configured = this.#options.configDir ?? this.#env["CLAUDE_CONFIG_DIR"];
    return findRemains(configured ?? join(this.#env["HOME"] ?? homedir(), ".claude"), run);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#processes].map(([claude, slot]) => slot?.close() ?? claude.close(false)));
  }

  /** Waits for the CLI's first answer; resolves to its version if it tells it. */
  async #opened(
    claude: ClaudeProcess,
    executable: string,
    signal: AbortSignal | undefined,
  ): Promise<string | undefined> {
    const aborted = Promise.withResolvers<never>();
    const abort = (): void => {
      aborted.reject(stopped());
    };
    signal?.addEventListener("abort", abort, { once: true });
    aborted.promise.catch(() => undefined); // nobody may be listening any more
    let version: string | undefined;
    const opening = claude.opened().then((opened) => {
      version = opened.version;
      return true;
    });
    try {
      const died = claude.gone.then(() => false);
      const timeoutMs = this.#options.openTimeoutMs ?? 60_000;
      const answered = Promise.race([opening, died, aborted.promise]);
      if (!(await within(answered, timeoutMs)))
        throw broken(executable, claude, `did not answer within ${String(timeoutMs)} ms`);
      if (!(await answered)) throw broken(executable, claude);
      return version;
    } catch (error) {
      if (error instanceof PoolError) throw error;
      await within(claude.gone, 1_000); // for the last of its stderr
      throw broken(executable, claude, error instanceof Error ? error.message : String(error));
    } finally {
      signal?.removeEventListener("abort", abort);
      opening.catch(() => undefined); // told above, or overtaken by the abort
    }
  }

  /** On the command line other users could read the servers' secrets; a CLI older than the SDK's reads them only there. */
  async #delivery(executable: string, launch: LaunchSpec): Promise<"initialize" | "argv"> {
    if (Object.keys(launch.mcpServers).length === 0 || isSdkExecutable(executable)) return "initialize";
    return isAtLeast(await versionOf(executable, { ...this.#env }), "2.1.328") ? "initialize" : "argv";
  }

  async #probe(): Promise<Namespace | undefined> {
    const { processNamespace } = this.#options;
    if (processNamespace === "off") return undefined;
    this.#namespace ??= probeNamespace();
    const namespace = await this.#namespace;
    if (namespace !== undefined || processNamespace === "auto") return namespace;
    throw new PoolError(
      "unsupported",
      "This machine does not let the pool give a Claude process a process namespace of its own (`unshare` failed). " +
        'Set `process_namespace` to "auto" to run with the weaker way of ending processes.',
    );
  }
}

function sdkOptions(launch: LaunchSpec, hooks: TurnHooks): Options {
  const prompt = launch.systemPrompt;
  return {
    includePartialMessages: true,
    strictMcpConfig: launch.strictMcpConfig,
    allowDangerouslySkipPermissions: launch.allowBypassPermissions,
    systemPrompt:
      launch.replaceSystemPrompt && prompt !== undefined
        ? prompt
        : { type: "preset", preset: "claude_code", ...(prompt === undefined ? {} : { append: prompt }) },
    ...(launch.settingSources === undefined ? {} : { settingSources: [...launch.settingSources] }),
    ...(launch.tools === undefined ? {} : { tools: [...launch.tools] }),
    ...(launch.fallbackModel === undefined ? {} : { fallbackModel: launch.fallbackModel }),
    ...(launch.jsonSchema === undefined ? {} : { outputFormat: { type: "json_schema", schema: launch.jsonSchema } }),
    hooks: {
      UserPromptSubmit: [{ hooks: [() => Promise.resolve(withContext(hooks.context))] }],
      // The CLI waits for the answer, so a turn that has reached a limit makes no further API call.
      PostToolBatch: [{ hooks: [(input) => betweenCalls(hooks, input.agent_id !== undefined)] }],
    },
  };
}

function withContext(additionalContext: string | undefined): HookJSONOutput {
  if (additionalContext === undefined) return {};
  return { hookSpecificOutput: { hookEventName: "UserPromptSubmit", additionalContext } };
}

async function betweenCalls(hooks: TurnHooks, bySubagent: boolean): Promise<HookJSONOutput> {
  return (await hooks.turn?.afterTools(bySubagent)) === true
    ? { continue: false, stopReason: "A limit of the task is reached." }
    : {};
}

function realDirectory(cwd: string): string {
  try {
    const real = realpathSync(cwd);
    if (statSync(real).isDirectory()) return real;
  } catch {
    // said below: for the caller, missing and unreadable are the same
  }
  throw new PoolError(
    "cwd_not_found",
    `The working directory ${JSON.stringify(cwd)} does not exist or is no directory.`,
    { cwd },
  );
}

function stopped(): PoolError {
  return new PoolError("aborted", "The opening of a Claude process was stopped.");
}

function broken(executable: string, claude: ClaudeProcess, why?: string): PoolError {
  const { exitCode, signal } = claude.ending ?? {};
  const ended =
    exitCode !== undefined
      ? ` It ended with exit code ${String(exitCode)}.`
      : signal === undefined
        ? ""
        : ` It was ended by ${signal}.`;
  const said = claude.stderr === "" ? "" : ` Its stderr ends with: ${claude.stderr}`;
  return new PoolError(
    "claude_broken",
    `The Claude CLI at ${executable} did not open a conversation${why === undefined ? "" : `: ${why}`}.${ended}${said}`,
    { executable, exitCode, stderr: claude.stderr },
  );
}
