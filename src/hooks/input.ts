/** A hook's input: what of it we use, each field checked, nothing of it trusted. */

export const events = [
  "SessionStart",
  "UserPromptSubmit",
  "PreToolUse",
  "PostToolUse",
  "Stop",
  "SubagentStart",
  "SubagentStop",
  "SessionEnd",
] as const;
export type HookEvent = (typeof events)[number];

export interface HookInput {
  readonly event: HookEvent;
  readonly sessionId: string;
  readonly cwd: string;
  readonly transcriptPath?: string;
  /** SessionStart: startup, resume, clear, compact or fork. */
  readonly source?: string;
  readonly sessionTitle?: string;
  readonly prompt?: string;
  /** The file that a tool edits. */
  readonly editedPath?: string;
  /** Absent: this Claude Code does not send it; empty: the answer had no text. */
  readonly lastAssistantMessage?: string;
  /** SessionEnd: clear, resume, logout, prompt_input_exit or other. */
  readonly reason?: string;
  /** Set inside a subagent. */
  readonly agentId?: string;
  readonly agentType?: string;
}

/** The input of one of our events; undefined for anything else. */
export function hookInput(text: string): HookInput | undefined {
  const value = parsed(text);
  const event = events.find((name) => name === value?.hook_event_name);
  const sessionId = some(value?.session_id);
  if (value === undefined || event === undefined || sessionId === undefined) return undefined;
  const tool = objectOf(value.tool_input);
  return defined<HookInput>({
    event,
    sessionId,
    cwd: some(value.cwd) ?? process.cwd(),
    transcriptPath: some(value.transcript_path),
    source: some(value.source),
    sessionTitle: some(value.session_title),
    prompt: textOf(value.prompt),
    editedPath: some(tool?.file_path) ?? some(tool?.notebook_path),
    lastAssistantMessage: textOf(value.last_assistant_message),
    reason: some(value.reason),
    agentId: some(value.agent_id),
    agentType: some(value.agent_type),
  });
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return objectOf(JSON.parse(text));
  } catch {
    return undefined; // empty, cut off, or no hook's input at all
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** A text that says something. */
function some(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** Without the fields that are undefined. */
function defined<T extends object>(fields: { readonly [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}
