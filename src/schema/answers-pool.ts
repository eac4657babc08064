/** What the pool answers about itself: slots, hosts, money, figures, messages, skills, events. */
import { z } from "zod";
import type { DrainSummary } from "../core/api.ts";
import type { BudgetState, ScopeBudget } from "../core/budget.ts";
import type { PoolEvent } from "../core/events.ts";
import { heldBackReasons, type GovernorState, type HeldBack } from "../core/governor.ts";
import type { PoolMessage } from "../core/message.ts";
import type { HeldBackTime, ModelMetrics, SessionMetrics } from "../core/metrics.ts";
import { skillScopes, skillSources, type Skill, type SkillArgument, type SkillEntry } from "../core/skill.ts";
import {
  efforts,
  hostKinds,
  slotStates,
  type HostRecord,
  type PoolStatus,
  type ProcessIdentity,
  type SlotConfig,
  type SlotRecord,
} from "../core/task.ts";
import { workflowSources, type WorkflowEntry } from "../core/workflow.ts";
import { answer, anything, count, moment, money, span, textByName, texts, words, yes } from "./answer.ts";
import { checksAnswer, overridesAnswer } from "./answers-task.ts";
import { slotConfigSchema, type Fields } from "./fields.ts";

const slotConfig = answer({
  ...(slotConfigSchema.shape satisfies Fields<SlotConfig>),
  effort: z.enum(efforts).optional(),
  checks: checksAnswer,
});

const processIdentity = answer({ pid: count, startTime: words, marker: words } satisfies Fields<ProcessIdentity>);

export const slotAnswer = answer({
  id: words,
  state: z.enum(slotStates),
  config: slotConfig,
  hostId: words,
  currentTask: words.optional(),
  sessionId: words.optional(),
  sessionCwd: words.optional(),
  tasksCompleted: count,
  costMicrodollars: money,
  restartCount: count,
  worktreePath: words.optional(),
  error: words.optional().describe("Why it is errored."),
  process: processIdentity.optional(),
} satisfies Fields<SlotRecord>);

export const hostAnswer = answer({
  id: words,
  kind: z.enum(hostKinds),
  pid: count,
  startTime: words,
  bootId: words,
  hostname: words,
  startedAtMs: moment,
  leaseUntilMs: moment,
  state: z.enum(["alive", "recovering", "ended"]),
  targetSlots: count,
} satisfies Fields<HostRecord>);

const heldBack = answer({
  reason: z.enum(heldBackReasons),
  untilMs: moment.optional(),
  ceiling: count.optional().describe("So many may run at once."),
} satisfies Fields<HeldBack>);

export const statusAnswer = answer({
  totalSlots: count,
  idleSlots: count,
  busySlots: count,
  erroredSlots: count,
  runningTasks: count,
  pendingTasks: count,
  heldTasks: count,
  pendingReviewTasks: count,
  openRequests: count.describe("Running tasks' requests that wait for an answer."),
  completedTasks: count,
  failedTasks: count,
  cancelledTasks: count,
  totalSpendMicrodollars: money,
  budgetMicrodollars: money.optional(),
  budgetSpentMicrodollars: money,
  reservedMicrodollars: money,
  hosts: count,
  shutdown: yes,
  heldBack: heldBack.optional(),
} satisfies Fields<PoolStatus>);

export const budgetAnswer = answer({
  capMicrodollars: money.optional(),
  spentMicrodollars: money,
  reservedMicrodollars: money,
  totalMicrodollars: money,
  sinceMs: moment,
  renews: z.enum(["none", "day", "week"]),
} satisfies Fields<BudgetState>);

export const scopeBudgetAnswer = answer({
  scope: words.describe("`tag:NAME`, `chain:ID` or `day`."),
  capMicrodollars: money,
  spentMicrodollars: money,
  reservedMicrodollars: money,
  sinceMs: moment,
} satisfies Fields<ScopeBudget>);

export const governorAnswer = answer({
  parkedUntilMs: moment.optional(),
  limitType: words.optional(),
  probeRunId: words.optional(),
  ceiling: count.optional(),
  ceilingReason: z.enum(["limit", "overload"]).optional(),
  ceilingSinceMs: moment.optional(),
  loweredAtMs: moment.optional(),
  utilization: z.number().optional(),
  utilizationAtMs: moment.optional(),
  windowResetsAtMs: moment.optional(),
  reserveLeaseAtMs: moment.optional(),
  starvedHosts: texts.optional(),
} satisfies Fields<GovernorState>);

const modelMetrics = answer({
  model: words,
  taskCount: count,
  totalCostMicrodollars: money,
  avgCostMicrodollars: money,
  avgElapsedMs: span,
  totalTurns: count,
} satisfies Fields<ModelMetrics>);

const heldBackTime = answer({ reason: words, times: count, totalMs: span } satisfies Fields<HeldBackTime>);

export const metricsAnswer = answer({
  sessionStartMs: moment,
  sessionDurationMs: span,
  totalTasks: count,
  completedTasks: count,
  failedTasks: count,
  cancelledTasks: count,
  runningTasks: count,
  pendingTasks: count,
  pendingReviewTasks: count,
  totalCostMicrodollars: money,
  avgCostMicrodollars: money,
  maxCostMicrodollars: money,
  avgElapsedMs: span,
  minElapsedMs: span,
  maxElapsedMs: span,
  medianElapsedMs: span,
  avgTurns: z.number(),
  tasksByModel: z.record(z.string(), count),
  modelBreakdown: z.array(modelMetrics),
  rejectedCostMicrodollars: money,
  retriedCostMicrodollars: money,
  routingCostMicrodollars: money,
  costPerCompletedMicrodollars: money,
  heldBack: z.array(heldBackTime),
} satisfies Fields<SessionMetrics>);

export const drainAnswer = answer({
  totalCostMicrodollars: money,
  totalTasksCompleted: count,
  cancelledPending: texts,
  cancelledRunning: texts,
} satisfies Fields<DrainSummary>);

export const messageAnswer = answer({
  id: words,
  from: words,
  to: words,
  content: words,
  sentAtMs: moment,
} satisfies Fields<PoolMessage>);

/** The whole shared context. */
export const contextAnswer = textByName;

const skillArgument = answer({
  name: words,
  description: words.optional(),
  required: yes,
} satisfies Fields<SkillArgument>);

const skillFields = {
  name: words,
  description: words,
  prompt: words.describe("The template."),
  arguments: z.array(skillArgument),
  config: overridesAnswer.optional(),
  scope: z.enum(skillScopes),
  argumentHint: words.optional(),
  frontMatter: anything.optional(),
  dir: words.optional(),
  source: z.enum(skillSources).describe("Where it was found."),
} satisfies Fields<Skill>;
export const skillAnswer = answer(skillFields);

const { prompt: _prompt, ...shownOfSkill } = skillFields;
/** A skill as lists show it; a broken one has an error and little else. */
export const skillEntryAnswer = answer({
  ...shownOfSkill,
  description: words.optional(),
  arguments: z.array(skillArgument).optional(),
  scope: z.enum(skillScopes).optional(),
  error: words.optional(),
} satisfies Fields<SkillEntry>);

export const workflowEntryAnswer = answer({
  name: words,
  description: words.optional(),
  arguments: z.array(skillArgument).optional(),
  options: anything.optional(),
  source: z.enum(workflowSources),
  error: words.optional(),
} satisfies Fields<WorkflowEntry>);

/** One event of the log; `data` is that of its type. */
export const eventAnswer = answer({
  seq: count.describe("Rises without gaps; the cursor."),
  atMs: moment,
  type: words,
  taskId: words.optional(),
  slotId: words.optional(),
  data: anything,
} satisfies Fields<PoolEvent>);
