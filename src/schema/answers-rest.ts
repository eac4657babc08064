/** What the REST routes answer beside the pool's own answers: acknowledgements, lists and pages. */
import { z } from "zod";
import { webhookEvents, type WebhookRecord } from "../core/webhook.ts";
import { answer, anything, count, moment, span, texts, textByName, words, yes } from "./answer.ts";
import { claimAnswer, entryAnswer, presenceAnswer } from "./answers-activity.ts";
import { chainProgressAnswer } from "./answers-chain.ts";
import { eventAnswer, messageAnswer, scopeBudgetAnswer, slotAnswer, hostAnswer, skillEntryAnswer, workflowEntryAnswer } from "./answers-pool.ts";
import { requestAnswer, ruleAnswer } from "./answers-requests.ts";
import { mergeAnswer, prunedAnswer, prunedRefAnswer, worktreeAnswer } from "./answers-workspace.ts";
import type { Fields } from "./fields.ts";
import { runRecordAnswer, taskOutcomeAnswer, taskState } from "./answers-task.ts";

/** Work that was accepted, and where to look for it. */
export const acceptedAnswer = answer({ taskId: words, state: taskState });
export const chainAcceptedAnswer = answer({ chainId: words, taskId: words, state: taskState, totalSteps: count });
export const chainsAcceptedAnswer = answer({ chains: z.array(chainAcceptedAnswer) });
export const fanOutAnswer = answer({
  taskIds: texts.describe("In the order of the prompts."),
  results: z.array(taskOutcomeAnswer).describe("In the order of the prompts; what has not ended has no `result` yet."),
  timedOut: yes.describe("Some go on: wait for them, or ask for each."),
});
export const runsAnswer = answer({ runs: z.array(runRecordAnswer) });
export const chainListAnswer = answer({
  chains: z.array(chainProgressAnswer).describe("Newest first, without what the steps answered."),
  next: count.optional().describe("Pass as `after` for the next page; absent on the last."),
});
export const eventPageAnswer = answer({
  events: z.array(eventAnswer),
  next: count.describe("Pass as `after` for what comes next, also on the last page."),
});
export const slotListAnswer = answer({ slots: z.array(slotAnswer) });
export const hostListAnswer = answer({ hosts: z.array(hostAnswer) });
export const slotClaimAnswer = answer({ taskId: words.optional().describe("Absent: nothing waits that the slot could take.") });
export const scaleAnswer = answer({
  previousSlots: count.describe("The number that was asked for until now, of the host that is scaled."),
  currentSlots: count.describe("The number that was asked for."),
});
export const contextListAnswer = answer({ context: textByName });
export const contextEntryAnswer = answer({ key: words, value: words });
export const messageIdsAnswer = answer({ messageIds: texts });
export const inboxAnswer = answer({ messages: z.array(messageAnswer) });
export const skillListAnswer = answer({ skills: z.array(skillEntryAnswer) });
export const workflowListAnswer = answer({ workflows: z.array(workflowEntryAnswer) });
export const scopeListAnswer = answer({ scopes: z.array(scopeBudgetAnswer) });
const range = answer({ low: z.number(), typical: z.number(), high: z.number() });
export const estimateAnswer = answer({
  tasks: count,
  known: yes.describe("False: too few runs have ended to say anything."),
  runs: count.describe("How many it rests on."),
  basis: z.enum(["tag_and_model", "tag", "model", "overall"]).optional(),
  costMicrodollars: range.optional(),
  elapsedMs: range.optional(),
});

export const requestListAnswer = answer({ requests: z.array(requestAnswer) });
export const ruleListAnswer = answer({ rules: z.array(ruleAnswer) });

export const mergeListAnswer = answer({ merges: z.array(mergeAnswer) });
export const worktreeListAnswer = answer({ worktrees: z.array(worktreeAnswer) });
export const prunedListAnswer = answer({ worktrees: z.array(prunedAnswer) });
export const prunedRefsAnswer = answer({ refs: z.array(prunedRefAnswer) });
export const restoredAnswer = answer({ path: words });

export const logListAnswer = answer({ entries: z.array(entryAnswer) });
export const logClaimsAnswer = answer({ claims: z.array(claimAnswer) });
export const presenceListAnswer = answer({ terminals: z.array(presenceAnswer) });

/** Every error, as RFC 9457 has it. */
export const problemAnswer = answer({
  type: words.describe("`urn:claude-pool:error:` and the code."),
  title: words,
  status: z.int(),
  detail: words.describe("What happened, to what, and what to do."),
  code: words,
  details: anything.optional(),
});

const webhookFields = {
  id: words,
  url: words,
  events: z.array(z.enum(webhookEvents)).describe("Empty: all."),
  allowPrivate: yes,
  createdAtMs: moment,
  pending: count.describe("Deliveries that wait for their time."),
  delivered: count,
  failed: count.describe("Deliveries that were given up."),
  lastError: words.optional(),
  lastAttemptAtMs: moment.optional(),
} satisfies Fields<WebhookRecord>;
const webhookAnswer = answer(webhookFields);
export const webhookCreatedAnswer = answer({
  ...webhookFields,
  secret: words.describe("Shown this once: what the signatures are made with."),
});
export const webhookListAnswer = answer({ webhooks: z.array(webhookAnswer) });
export const webhookTestAnswer = answer({ delivered: yes, status: z.int().optional(), error: words.optional(), elapsedMs: span });
