/** What each hook does with its input, and what it answers. */
import type { Environment } from "../activity/place.ts";
import { normalPath } from "../activity/scope.ts";
import { addWorkedOn } from "../activity/working-set.ts";
import { claimedEdit, releaseOwn, renewedClaims, takeOver } from "./claims.ts";
import type { HookEvent, HookInput } from "./input.ts";
import { noteProblem } from "./problem.ts";
import { report } from "./report.ts";
import { showAtStart, showClaims, showNews } from "./show.ts";
import { isSlot, saveTerminal, terminalOf, type HookTerminal } from "./terminal.ts";

/** What a hook answers Claude Code: nothing, or context for the model and perhaps a decision on its tool call. */
export interface HookAnswer {
  readonly hookSpecificOutput: {
    readonly hookEventName: HookEvent;
    readonly additionalContext: string;
    readonly permissionDecision?: "ask" | "deny";
    readonly permissionDecisionReason?: string;
  };
}

/** Carries out one hook. Now in Unix seconds. */
export async function handle(input: HookInput, env: Environment, now: number): Promise<HookAnswer | undefined> {
  const terminal = terminalOf(input, env, now);
  for (const remark of terminal.remarks) noteProblem(terminal.ground.folder, remark);
  return handlers[input.event](terminal);
}

/** Seconds: a turn may be long, and only its edits show that the terminal is alive. */
const signOfLifeEvery = 60;

type Handler = (terminal: HookTerminal) => Promise<HookAnswer | undefined>;

const handlers: Readonly<Record<HookEvent, Handler>> = {
  async SessionStart(terminal) {
    for (const warning of terminal.ground.warnings) noteProblem(terminal.ground.folder, warning);
    if (terminal.isNew) await takeOver(terminal);
    return context(terminal, showAtStart(terminal));
  },
  async UserPromptSubmit(terminal) {
    const renewedAt = await renewedClaims(terminal);
    return context(terminal, showNews({ ...terminal, memory: { ...terminal.memory, renewedAt } }));
  },
  async PreToolUse(terminal) {
    const note = claimedEdit(terminal);
    if (note === undefined) return undefined;
    const { onClaimedEdit } = terminal.settings;
    if (onClaimedEdit === "note") return context(terminal, note);
    const decision = { permissionDecision: onClaimedEdit, permissionDecisionReason: note };
    return { hookSpecificOutput: { hookEventName: "PreToolUse", additionalContext: note, ...decision } };
  },
  async PostToolUse(terminal) {
    const { ground, input, lastSeenAt, memory, now, sid } = terminal;
    const path = input.editedPath === undefined ? undefined : normalPath(input.editedPath, ground);
    if (path !== undefined && !path.outside) addWorkedOn(ground.folder, sid, path.path);
    const renewedAt = await renewedClaims(terminal);
    if (renewedAt !== memory.renewedAt || now - lastSeenAt > signOfLifeEvery) saveTerminal(terminal, {}, { renewedAt });
    return undefined;
  },
  async Stop(terminal) {
    await report(terminal);
    return undefined;
  },
  async SubagentStop(terminal) {
    await report(terminal);
    return undefined;
  },
  async SubagentStart(terminal) {
    return terminal.settings.subagentStart ? context(terminal, showClaims(terminal)) : undefined;
  },
  async SessionEnd(terminal) {
    // `/clear` only ends the conversation; the terminal goes on, and takes its claims along. A slot of the pool clears between two tasks.
    if (terminal.input.reason === "clear" && !isSlot(terminal)) return undefined;
    await releaseOwn(terminal, 150);
    saveTerminal(terminal, { endedAt: terminal.now });
    return undefined;
  },
};

function context({ input }: HookTerminal, text: string): HookAnswer | undefined {
  if (text === "") return undefined;
  return { hookSpecificOutput: { hookEventName: input.event, additionalContext: text } };
}
