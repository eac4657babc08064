/** What the activity log answers over MCP and REST. */
import { z } from "zod";
import type { ShownClaim, ShownEntry, ShownPresence } from "../core/activity.ts";
import { answer, count, texts, words, yes } from "./answer.ts";
import type { Fields } from "./fields.ts";

const seconds = z.number().describe("In seconds since the epoch.");

const entryFields = {
  id: words,
  timestamp: seconds,
  ttl: z.number().describe("For how many seconds it is shown."),
  sourceInstance: words.describe("The terminal that wrote it."),
  action: words,
  topic: words,
  summary: words,
  paths: texts,
  resources: texts,
  blocks: words.describe("Whom it concerns, or what it holds up."),
  flags: texts,
  project: words.optional(),
  branch: words.optional(),
  worktree: words.optional(),
  origin: words.optional(),
  ref: words.optional().describe("The claim or blocker that it ends."),
} satisfies Fields<ShownEntry>;

/** An entry; its texts are other terminals' words. */
export const entryAnswer = answer(entryFields);

const claimFields = {
  ...entryFields,
  since: seconds,
  expiresAt: seconds,
  heldBy: words.optional().describe("The claim for whose end this one waits."),
} satisfies Fields<ShownClaim>;

/** A claim that stands. */
export const claimAnswer = answer(claimFields);

/** A terminal that takes part. */
export const presenceAnswer = answer({
  label: words,
  state: z.enum(["live", "idle", "gone"]),
  own: yes.describe("It is the one that asks."),
  seenAt: seconds,
  claims: z.array(claimAnswer),
  project: words.optional(),
  branch: words.optional(),
  cwd: words.optional(),
  last: entryAnswer.optional(),
} satisfies Fields<ShownPresence>);

export const postedAnswer = answer({
  written: yes,
  entry: entryAnswer.optional(),
  because: z.enum(["duplicate", "conflict", "flood"]).optional().describe("Why nothing was written."),
  conflict: claimAnswer.optional().describe("Who holds what was claimed."),
});

export const claimedAnswer = answer({
  granted: yes,
  entry: entryAnswer.optional().describe("The claim as it stands; absent if it was refused."),
  because: z.enum(["flood"]).optional(),
  conflict: claimAnswer.optional().describe("Who holds what was asked for."),
});

export const releasedAnswer = answer({ released: z.array(entryAnswer), count });
