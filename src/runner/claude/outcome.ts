/**
 * What a turn's end means. Pure: the facts go in, one Outcome comes out.
 *
 * O1. The first cause wins: what ended the turn early decides, whatever the CLI then said.
 * O2. `subtype: "success"` is not success: `is_error`, the schema, the stop reason and the last tool call are asked too.
 */
import { defined } from "../../core/config.ts";
import { dollars } from "../../core/errors.ts";
import type { EndReason, Outcome } from "../../core/outcome.ts";
import type { EndCause } from "../../core/runner-port.ts";
import type { Json, JsonObject, PermissionDenial, PermissionMode, TaskResult, TokenUsage } from "../../core/task.ts";

/** Why the pool ended a turn before its result. */
export type Cause = EndCause | "max_turns" | "silent" | "mismatch";

/** What is left of the CLI's result message, in plain words. */
export interface ResultFacts {
  readonly subtype: string;
  readonly isError: boolean;
  readonly text?: string;
  readonly terminalReason?: string;
  readonly stopReason?: string;
  readonly apiStatus?: number;
  readonly errors: readonly string[];
  readonly denials: readonly PermissionDenial[];
  readonly structuredOutput?: Json;
}

/** Everything that is known of a turn when it has ended. */
export interface TurnFacts {
  readonly cause?: Cause;
  /** With cause `mismatch`: what was not as asked. */
  readonly detail?: string;
  /** Absent: the process died, or had to be killed. */
  readonly result?: ResultFacts;
  readonly death?: {
    readonly exitCode?: number;
    readonly signal?: string;
    readonly stderr: string;
    readonly command: string;
  };
  /** The last text of the answer, whole or as far as it came. */
  readonly output: string;
  readonly turnsUsed: number;
  readonly elapsedMs: number;
  readonly costMicrodollars: number;
  readonly costEstimated: boolean;
  readonly model?: string;
  readonly sessionId?: string;
  readonly permissionMode?: PermissionMode;
  readonly usage?: TokenUsage;
  readonly modelUsage?: JsonObject;
  readonly lastToolUseId?: string;
  /** Somebody was asked about the last tool call and denied it (true), or did not answer. */
  readonly lastDenialAnswered?: boolean;
  /** The usage limit refused a request. */
  readonly limit?: { readonly resetsAtMs: number; readonly limitType?: string };
  readonly asked: {
    readonly schema: boolean;
    readonly maxTurns?: number;
    readonly maxCostMicrodollars?: number;
    readonly silenceTimeoutMs: number;
    readonly disallowedTools: readonly string[];
  };
}

/** The one ending of a turn. */
export function outcomeOf(facts: TurnFacts): Outcome {
  if (facts.cause !== undefined) return ended(facts, facts.cause);
  const { result } = facts;
  if (result === undefined)
    return { kind: "lost", result: { ...base(facts), success: false, reason: "lost", error: deathText(facts) } };
  if (facts.limit !== undefined && result.isError) {
    const limited = {
      ...base(facts),
      success: false,
      reason: "limited" as const,
      error: result.text ?? "The usage limit is reached.",
    };
    return defined<Outcome & { kind: "limited" }>({ kind: "limited", result: limited, ...facts.limit });
  }
  const failure = failureOf(facts, result);
  if (failure !== undefined) return failed(facts, ...failure);
  return { kind: "completed", result: { ...base(facts), success: true } };
}

function ended(facts: TurnFacts, cause: Cause): Outcome {
  switch (cause) {
    case "cancel":
      return {
        kind: "cancelled",
        result: { ...base(facts), success: false, reason: "cancelled", error: "The task was cancelled." },
      };
    case "shutdown":
      return {
        kind: "cancelled",
        result: {
          ...base(facts),
          success: false,
          reason: "shutdown",
          error: "Its host was shut down while the task ran.",
        },
      };
    case "timeout":
      return timedOut(
        facts,
        "timed_out",
        `The task did not finish in the time it was given (${seconds(facts.elapsedMs)}). Allow more with \`timeout_ms\`.`,
      );
    case "silent":
      return timedOut(
        facts,
        "silent",
        `Nothing came from Claude for ${seconds(facts.asked.silenceTimeoutMs)} while no tool ran. Allow more with \`silence_timeout_ms\`.`,
      );
    case "max_turns":
      return failed(facts, "max_turns", maxTurnsText(facts));
    case "budget":
      return failed(facts, "budget", budgetText(facts));
    case "mismatch":
      return failed(
        facts,
        "mismatch",
        `${facts.detail ?? "The process is not what the task asked for."} The run was stopped.`,
      );
  }
}

/** Why a result is no success, the most telling reason first; undefined: it is one. */
function failureOf(facts: TurnFacts, result: ResultFacts): readonly [EndReason, string] | undefined {
  if (result.subtype === "error_max_turns") return ["max_turns", maxTurnsText(facts)];
  if (result.subtype === "error_max_budget_usd" || overCap(facts)) return ["budget", budgetText(facts)];
  // The API says the first; the second says the CLI itself, before it has asked the API.
  if (result.terminalReason === "prompt_too_long" || result.terminalReason === "blocking_limit") {
    return ["prompt_too_long", `${result.text ?? "Prompt is too long"}. Shorten the prompt or its context.`];
  }
  if (result.subtype === "error_max_structured_output_retries") return ["schema", schemaText];
  if (result.stopReason === "refusal") return ["refused", `The model refused the task. ${result.text ?? ""}`.trim()];
  if (result.isError || result.subtype !== "success") return errorOf(facts, result);
  if (facts.asked.schema && result.structuredOutput === undefined) return ["schema", schemaText];
  const denied = result.denials.find(
    (denial) => denial.toolUseId !== undefined && denial.toolUseId === facts.lastToolUseId,
  );
  // What a person has denied, the model has dealt with, as in front of a terminal.
  if (denied === undefined || facts.lastDenialAnswered === true) return undefined;
  return ["permission", deniedText(facts, denied.toolName)];
}

function errorOf(facts: TurnFacts, result: ResultFacts): readonly [EndReason, string] {
  const said =
    [result.text, ...result.errors].find((line) => line !== undefined && line !== "") ??
    "Claude ended the turn with an error.";
  const fromApi = result.terminalReason === "api_error" || result.apiStatus !== undefined || facts.limit !== undefined;
  if (!fromApi) return ["error", said];
  const status = result.apiStatus === undefined ? "" : ` ${String(result.apiStatus)}`;
  return ["api", `The Messages API failed${status}: ${said} ${apiRemedy(result.apiStatus)}`.trim()];
}

function apiRemedy(status: number | undefined): string {
  if (status === 401) return "Log in with `claude` and its `/login`, or set ANTHROPIC_API_KEY.";
  if (status === 403) return "Check that the account may use this model, and that the login is still good.";
  if (status === 404) return "Check the model's name (`--model`).";
  if (status === 400) return "The request itself was refused; a retry will not help.";
  if (status === 429) return "Too many requests: run fewer slots, or submit again later.";
  if (status === undefined) return "Check the network and ANTHROPIC_BASE_URL, then submit again.";
  return "Submit again later.";
}

function overCap(facts: TurnFacts): boolean {
  const cap = facts.asked.maxCostMicrodollars;
  return cap !== undefined && facts.costMicrodollars > cap;
}

function deniedText(facts: TurnFacts, tool: string): string {
  const ruled = facts.asked.disallowedTools.some((rule) => rule === tool || rule.startsWith(`${tool}(`));
  if (ruled) return `${tool} was denied by disallowed_tools; take it out there to allow it.`;
  if (facts.lastDenialAnswered === false && facts.permissionMode === "default") {
    return `The run ended on a call of ${tool} that nobody allowed in time. Answer with \`claude-pool requests\`, or allow it ahead: \`claude-pool requests add-rule ${tool}\`.`;
  }
  const edits = ["Edit", "Write", "NotebookEdit"].includes(tool) ? "`--permission-mode acceptEdits` or " : "";
  const mode = facts.permissionMode === undefined ? "" : ` in permission mode ${facts.permissionMode}`;
  return `The run ended on a denied call of ${tool}${mode}. To allow it: ${edits}allowed_tools: [${JSON.stringify(tool)}].`;
}

const schemaText =
  "The answer does not fit the JSON schema that was asked for. Say in the prompt what each field holds, or loosen the schema.";

function maxTurnsText(facts: TurnFacts): string {
  const limit = facts.asked.maxTurns === undefined ? "its limit" : String(facts.asked.maxTurns);
  return `The run used its turns (${limit}) before it was done. Allow more with \`max_turns\`.`;
}

function budgetText(facts: TurnFacts): string {
  const cap = facts.asked.maxCostMicrodollars;
  const spent = dollars(facts.costMicrodollars);
  return cap === undefined
    ? `The run was stopped at ${spent}: the budget has nothing left. Raise it with \`claude-pool budget set\`.`
    : `The run cost ${spent}; its cap is ${dollars(cap)}. Raise it with \`max_budget_usd\`.`;
}

function deathText(facts: TurnFacts): string {
  const { exitCode, signal, stderr = "" } = facts.death ?? {};
  const how =
    exitCode === undefined
      ? signal === undefined
        ? "ended"
        : `was ended by ${signal}`
      : `ended with exit code ${String(exitCode)}`;
  return `The Claude process ${how} before the turn did.${stderr === "" ? "" : ` Its last words: ${stderr}`}`;
}

function failed(facts: TurnFacts, reason: EndReason, error: string): Outcome {
  const over = reason === "budget" ? { budgetExceeded: true } : {};
  return { kind: "failed", result: { ...base(facts), success: false, reason, error, ...over } };
}

function timedOut(facts: TurnFacts, reason: EndReason, error: string): Outcome {
  return { kind: "timed_out", result: { ...base(facts), success: false, reason, error } };
}

function base(facts: TurnFacts): Omit<TaskResult, "success"> {
  const { result, death } = facts;
  return defined<Omit<TaskResult, "success">>({
    output: result?.isError === false && result.text !== undefined && result.text !== "" ? result.text : facts.output,
    costMicrodollars: facts.costMicrodollars,
    costEstimated: facts.costEstimated ? true : undefined,
    turnsUsed: facts.turnsUsed,
    elapsedMs: facts.elapsedMs,
    model: facts.model,
    sessionId: facts.sessionId,
    usage: facts.usage,
    modelUsage: facts.modelUsage,
    permissionMode: facts.permissionMode,
    permissionDenials: result === undefined || result.denials.length === 0 ? undefined : result.denials,
    structuredOutput: result?.structuredOutput,
    apiStatus: result?.apiStatus,
    failedCommand: death?.command,
    exitCode: death?.exitCode,
    stderr: death === undefined || death.stderr === "" ? undefined : death.stderr,
  });
}

function seconds(ms: number): string {
  return `${String(Math.round(ms / 100) / 10)} s`;
}
