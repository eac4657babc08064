/** Stop and SubagentStop: what the answer's `pool` blocks report goes into the log, once. */
import { blocksOf, type Block } from "../activity/block.ts";
import { ageText } from "../activity/render.ts";
import { harmless } from "../activity/harmless.ts";
import { scopeOf } from "../activity/scope.ts";
import { writeDraft, type Written } from "../activity/write.ts";
import { guessTurn } from "./automatic.ts";
import { isClaim, renewedClaims } from "./claims.ts";
import { noteProblem } from "./problem.ts";
import { lastTurn, turnEndingWith } from "./transcript.ts";
import { authorOf, saveTerminal, type HookTerminal } from "./terminal.ts";

const waitMs = 300;

/**
 * Writes the blocks of the turn that has ended. A hook that runs again for the same answer writes nothing again, because the log holds the same
 * report of the same terminal only once while it stands.
 */
export async function report(terminal: HookTerminal): Promise<void> {
  const { ground } = terminal;
  const { blocks, remarks } = blocksOf(answerOf(terminal).join("\n\n"));
  for (const remark of remarks) noteProblem(ground.folder, remark);
  const notices: string[] = [];
  for (const block of blocks) {
    const written = await post(terminal, block);
    const notice = refusalText(terminal, block, written);
    if (notice !== undefined) notices.push(notice);
  }
  const renewedAt = await renewedClaims(terminal);
  const guessedAt = blocks.length === 0 ? await guessTurn(terminal) : terminal.memory.guessedAt;
  saveTerminal(terminal, {}, { renewedAt, guessedAt, notices: [...terminal.memory.notices, ...notices].slice(-3) });
}

/** The texts of the turn. A subagent's transcript is not its parent's, so only what the input itself says counts there. */
function answerOf({ input, env }: HookTerminal): readonly string[] {
  const { lastAssistantMessage: last, transcriptPath: path, event } = input;
  if (last === "") return []; // it said nothing, and an older answer is not this one
  if (path === undefined || event !== "Stop") return last === undefined ? [] : [last];
  return last === undefined ? lastTurn(path, env) : turnEndingWith(last, path, env);
}

async function post(terminal: HookTerminal, { affects, ...said }: Block): Promise<Written> {
  const { ground, input } = terminal;
  const scope = scopeOf(affects, { top: ground.top, from: ground.from });
  const isSubagent = input.agentId !== undefined;
  const draft = {
    ...said,
    // A subagent is gone before anybody could ask it: it tells of its work, but holds nothing.
    ...(isSubagent && said.action !== undefined && isClaim(said.action) ? { action: "signaling" } : {}),
    paths: scope.paths,
    resources: scope.resources,
    flags: [...(said.flags ?? []), ...scope.flags],
  };
  return writeDraft(ground.folder, draft, authorOf(terminal, "block"), { waitMs });
}

/** What the terminal is to know with its next prompt; undefined where it got what it asked for. */
function refusalText({ ground, now }: HookTerminal, block: Block, written: Written): string | undefined {
  if (written.because === "flood") {
    noteProblem(ground.folder, "a terminal wrote more entries than it may; the entry was dropped");
  }
  if (written.conflict === undefined) return undefined;
  const { entry: holder, since } = written.conflict;
  return (
    `The claim "${harmless(block.topic ?? "", 80)}" does not hold: ${holder.sourceInstance} claimed ` +
    `"${harmless(holder.topic, 80)}" ${ageText(now - since)}, and that claim stands.`
  );
}
