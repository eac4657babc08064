/** Requests of running tasks, their answers, and the rules that answers left (A1, A2 of core/permission.ts). */
import { defined } from "../core/config.ts";
import { PoolError } from "../core/errors.ts";
import { newRuleId } from "../core/ids.ts";
import {
  answeredState,
  boundedInput,
  callOf,
  requestNotFound,
  requestOver,
  runOver,
  type NewRequest,
  type PermissionRule,
  type PoolRequest,
  type RequestAnswer,
  type RequestState,
  type WorkerProgress,
} from "../core/permission.ts";
import { checkRule, type Decision, ruleCovers, type ToolCall } from "../core/permission-rule.ts";
import type { SqlRow, SqlTx } from "../core/ports.ts";
import { toolSummary } from "../core/tool-summary.ts";
import type { Change } from "./change.ts";

type Reader = Pick<SqlTx, "all">;

/** What is kept of a request beside its columns. */
type Body = Pick<
  PoolRequest,
  "cwd" | "tool" | "toolInput" | "inputTruncated" | "reason" | "isSensitive" | "isOutside" | "question"
>;
type Answer = Pick<PoolRequest, "message" | "ruleId">;

/**
 * Writes a request of a run that still holds its task. What a rule covers is answered at once, and leaves an event only.
 *
 * @throws {PoolError} `run_over`.
 */
export async function askRequest(change: Change, ask: NewRequest): Promise<PoolRequest> {
  const taskSeq = await seqOfOpenRun(change.sql, ask.taskId, ask.runId);
  if (taskSeq === undefined) throw runOver(ask.runId);
  const call = ask.kind === "permission" ? callOf(ask) : undefined;
  const rule = call === undefined ? undefined : await ruleFor(change.sql, call);
  const { kind, cwd, tool, reason, isSensitive, isOutside, question, toolInput = {} } = ask;
  const bounded = kind === "permission" ? boundedInput(toolInput) : {};
  const body = defined<Body>({ cwd, tool, reason, isSensitive, isOutside, question, ...bounded });
  const open = requestFields(ask, body, change.nowMs);
  const at = { taskId: ask.taskId, slotId: ask.slotId };
  const summary = toolSummary(toolInput);
  if (rule !== undefined) {
    const { id: ruleId, decision } = rule;
    const data = defined({ runId: ask.runId, tool: tool ?? "", decision, by: "rule" as const, ruleId, summary });
    change.emit({ type: "permission.answered", ...at, data }, taskSeq);
    const state: RequestState = decision === "allow" ? "allowed" : "denied";
    return { ...open, state, answeredAtMs: change.nowMs, answeredBy: "rule", ruleId, ...ruleMessage(rule) };
  }
  await change.sql.run(
    `INSERT INTO request (id, kind, state, task_seq, run_id, slot_id, body, asked_at_ms, expires_at_ms)
      VALUES (?, ?, 'open', ?, ?, ?, ?, ?, ?)`,
    [ask.id, kind, taskSeq, ask.runId, ask.slotId, JSON.stringify(body), change.nowMs, ask.expiresAtMs ?? null],
  );
  change.pool.open_requests += 1;
  const common = { requestId: ask.id, runId: ask.runId };
  const { expiresAtMs } = ask;
  if (kind === "permission") {
    const data = defined({ ...common, tool: tool ?? "", summary, expiresAtMs });
    change.emit({ type: "permission.requested", ...at, data }, taskSeq);
  } else {
    const data = defined({ ...common, question: question ?? "", expiresAtMs });
    change.emit({ type: "question.asked", ...at, data }, taskSeq);
  }
  return open;
}

/**
 * Answers an open request, keeps the rule that comes with it, and answers by that rule whatever else is open.
 *
 * @throws {PoolError} `request_not_found`, `request_over`.
 */
export async function answerRequest(change: Change, id: string, answer: RequestAnswer): Promise<PoolRequest> {
  const request = await requestOf(change.sql, id);
  if (request === undefined) throw requestNotFound(id);
  if (request.state !== "open") throw requestOver(request);
  const { rule: text, decision } = answer;
  const rule = text === undefined || decision === undefined ? undefined : await keepRule(change, text, decision, id);
  const answered = await close(change, request, answer, rule?.id);
  if (rule !== undefined) await applyRule(change, rule);
  return answered;
}

/** Closes what a run that ends has left open (A1); nothing is read while nothing is open at all. */
export async function closeRequests(change: Change, runId: string): Promise<void> {
  if (change.pool.open_requests === 0) return;
  const rows = await change.sql.all(`${selectRequests} WHERE request.run_id = ? AND request.state = 'open'`, [runId]);
  for (const row of rows) await close(change, requestOfRow(row), { by: "end" });
}

/** Open ones in the order in which they were asked; with `all` every one that is kept, the newest first. */
export async function requestsOf(
  sql: Reader,
  filter: { readonly all?: boolean; readonly taskId?: string; readonly limit: number },
): Promise<readonly PoolRequest[]> {
  const conditions = [
    filter.all === true ? "1" : "request.state = 'open'",
    // Of a chain: those of its steps.
    filter.taskId === undefined
      ? "?1 IS NULL"
      : "(task.id = ?1 OR task.chain_seq = (SELECT seq FROM task WHERE id = ?1))",
  ];
  const order = filter.all === true ? "DESC" : "ASC";
  const rows = await sql.all(
    `${selectRequests} WHERE ${conditions.join(" AND ")} ORDER BY request.number ${order} LIMIT ?2 + 0`,
    [filter.taskId ?? null, filter.limit],
  );
  return rows.map(requestOfRow);
}

export async function requestOf(sql: Reader, id: string): Promise<PoolRequest | undefined> {
  const [row] = await sql.all(`${selectRequests} WHERE request.id = ?`, [id]);
  return row === undefined ? undefined : requestOfRow(row);
}

/** What each of these tasks waits for, of those that wait; a chain waits with its step. */
export async function waitsOf(
  sql: Reader,
  taskIds: readonly string[],
): Promise<ReadonlyMap<string, PoolRequest["kind"]>> {
  const rows = await sql.all(
    `SELECT task.id, MAX(request.kind) AS kind FROM request INDEXED BY request_open
      JOIN task AS asks ON asks.seq = request.task_seq JOIN task ON task.seq IN (asks.seq, asks.chain_seq)
      WHERE request.state = 'open' AND task.id IN (SELECT value FROM json_each(?)) GROUP BY task.id`,
    [JSON.stringify(taskIds)],
  );
  return new Map(rows.map((row) => [String(row.id), row.kind as PoolRequest["kind"]]));
}

export async function rulesOf(sql: Reader): Promise<readonly PermissionRule[]> {
  return (await sql.all("SELECT * FROM permission_rule ORDER BY number")).map(ruleOfRow);
}

/** The same rule again is the one that is there. */
export async function addRule(change: Change, rule: string, decision: Decision): Promise<PermissionRule> {
  const kept = await keepRule(change, rule, decision, undefined);
  await applyRule(change, kept);
  return kept;
}

/** By its id, or by its text. @throws {PoolError} `rule_not_found`. */
export async function revokeRule(change: Change, which: string): Promise<readonly PermissionRule[]> {
  const text = which.trim();
  const found = (await rulesOf(change.sql)).filter((rule) => rule.id === text || rule.rule === text);
  if (found.length === 0) {
    const message = `No permission rule ${JSON.stringify(which)}. \`claude-pool requests rules\` shows those that are kept.`;
    throw new PoolError("rule_not_found", message, { rule: which });
  }
  for (const { id, rule, decision } of found) {
    await change.sql.run("DELETE FROM permission_rule WHERE id = ?", [id]);
    change.emit({ type: "permission.rule_revoked", data: { ruleId: id, rule, decision } });
  }
  return found;
}

/** @throws {PoolError} `run_over`. */
export async function noteProgress(change: Change, { taskId, runId, slotId, ...said }: WorkerProgress): Promise<void> {
  const seq = await seqOfOpenRun(change.sql, taskId, runId);
  if (seq === undefined) throw runOver(runId);
  change.emit({ type: "task.progress", taskId, slotId, data: { runId, ...said } }, seq);
}

/** The task's place, if this run holds it. */
export async function seqOfOpenRun(sql: Reader, taskId: string, runId: string): Promise<number | undefined> {
  const [row] = await sql.all("SELECT seq FROM task WHERE id = ? AND state = 'running' AND run_id = ?", [
    taskId,
    runId,
  ]);
  return row === undefined ? undefined : Number(row.seq);
}

async function close(
  change: Change,
  request: PoolRequest,
  answer: RequestAnswer,
  ruleId?: string,
): Promise<PoolRequest> {
  const state = answeredState(request.kind, answer);
  const kept = defined<Answer>({ message: answer.message, ruleId });
  await change.sql.run(
    "UPDATE request SET state = ?, answered_at_ms = ?, answered_by = ?, answer = ? WHERE id = ? AND state = 'open'",
    [state, change.nowMs, answer.by, JSON.stringify(kept), request.id],
  );
  change.pool.open_requests -= 1;
  const { id: requestId, taskId, slotId, runId, tool = "" } = request;
  const { by } = answer;
  const decision = state === "closed" ? undefined : answer.decision;
  const [row] = await change.sql.all("SELECT seq FROM task WHERE id = ?", [taskId]);
  const seq = Number(row?.seq);
  if (request.kind === "permission") {
    const data = defined({ requestId, runId, tool, decision, by, ruleId });
    change.emit({ type: "permission.answered", taskId, slotId, data }, seq);
  } else {
    change.emit({ type: "question.answered", taskId, slotId, data: { requestId, runId, by } }, seq);
  }
  return { ...request, state, answeredAtMs: change.nowMs, answeredBy: by, ...kept };
}

async function keepRule(
  change: Change,
  text: string,
  decision: Decision,
  requestId: string | undefined,
): Promise<PermissionRule> {
  const rule = checkRule(text);
  const known = (await rulesOf(change.sql)).find((one) => one.rule === rule && one.decision === decision);
  if (known !== undefined) return known;
  const kept = defined<PermissionRule>({ id: newRuleId(), rule, decision, createdAtMs: change.nowMs, requestId });
  await change.sql.run(
    "INSERT INTO permission_rule (id, rule, decision, created_at_ms, request_id) VALUES (?, ?, ?, ?, ?)",
    [kept.id, rule, decision, change.nowMs, requestId ?? null],
  );
  change.emit({ type: "permission.rule_added", data: { ruleId: kept.id, rule, decision } });
  return kept;
}

/** What waits already, and whose input is known in full, need not be asked one by one. */
async function applyRule(change: Change, rule: PermissionRule): Promise<void> {
  if (change.pool.open_requests === 0) return;
  const rows = await change.sql.all(`${selectRequests} WHERE request.state = 'open' ORDER BY request.number`);
  for (const request of rows.map(requestOfRow)) {
    const call = callOf(request);
    const applies = call === undefined ? undefined : await ruleFor(change.sql, call);
    if (applies?.id !== rule.id) continue;
    await close(change, request, { by: "rule", decision: rule.decision, ...ruleMessage(rule) }, rule.id);
  }
}

/** A rule that denies goes before one that allows. */
async function ruleFor(sql: Reader, call: ToolCall): Promise<PermissionRule | undefined> {
  const covering = (await rulesOf(sql)).filter(({ rule, decision }) => ruleCovers(rule, call, decision));
  return covering.find(({ decision }) => decision === "deny") ?? covering[0];
}

function ruleMessage({ rule, decision }: PermissionRule): { readonly message?: string } {
  return decision === "deny" ? { message: `A rule of this pool denies it: ${rule}` } : {};
}

const selectRequests =
  "SELECT request.*, task.id AS task_id FROM request CROSS JOIN task ON task.seq = request.task_seq";

function requestFields(ask: NewRequest, body: Body, askedAtMs: number): PoolRequest {
  const { id, kind, taskId, runId, slotId, expiresAtMs } = ask;
  return defined<PoolRequest>({ id, kind, state: "open", taskId, runId, slotId, ...body, askedAtMs, expiresAtMs });
}

function requestOfRow(row: SqlRow): PoolRequest {
  const answer = row.answer === null ? {} : (JSON.parse(String(row.answer)) as Answer);
  return defined<PoolRequest>({
    id: String(row.id),
    kind: row.kind as PoolRequest["kind"],
    state: row.state as RequestState,
    taskId: String(row.task_id),
    runId: String(row.run_id),
    slotId: String(row.slot_id),
    ...(JSON.parse(String(row.body)) as Body),
    askedAtMs: Number(row.asked_at_ms),
    expiresAtMs: row.expires_at_ms === null ? undefined : Number(row.expires_at_ms),
    answeredAtMs: row.answered_at_ms === null ? undefined : Number(row.answered_at_ms),
    answeredBy: (row.answered_by ?? undefined) as PoolRequest["answeredBy"],
    ...answer,
  });
}

function ruleOfRow(row: SqlRow): PermissionRule {
  return defined<PermissionRule>({
    id: String(row.id),
    rule: String(row.rule),
    decision: row.decision as Decision,
    createdAtMs: Number(row.created_at_ms),
    requestId: row.request_id === null ? undefined : String(row.request_id),
  });
}
