/** The records' methods for what reaches out of the pool: requests of running tasks, and webhooks. */
import type { Records } from "../core/records.ts";
import {
  addRule,
  answerRequest,
  askRequest,
  noteProgress,
  requestOf,
  requestsOf,
  revokeRule,
  rulesOf,
} from "./permissions.ts";
import type { Parts } from "./record-parts.ts";
import {
  addWebhook,
  dueDeliveries,
  holdCourier,
  leaveCourier,
  nextDeliveryMs,
  noteAttempts,
  removeWebhook,
  webhooks,
  webhookTarget,
  writeDeliveries,
} from "./webhooks.ts";

export function requestMethods({ sql, write }: Parts) {
  return {
    askRequest: (ask) => write((change) => askRequest(change, ask)),
    answerRequest: (id, answer) => write((change) => answerRequest(change, id, answer)),
    requests: (filter) => requestsOf(sql, filter),
    request: (id) => requestOf(sql, id),
    permissionRules: () => rulesOf(sql),
    addPermissionRule: (rule, decision) => write((change) => addRule(change, rule, decision)),
    revokePermissionRule: (which) => write((change) => revokeRule(change, which)),
    noteProgress: (progress) => write((change) => noteProgress(change, progress)),
  } satisfies Partial<Records>;
}

export function webhookMethods({ sql, clock, write }: Parts) {
  return {
    addWebhook: (webhook) => write((change) => addWebhook(change, webhook)),
    webhooks: () => webhooks(sql),
    webhookTarget: (id) => webhookTarget(sql, id),
    removeWebhook: (id) => write((change) => removeWebhook(change, id)),
    holdCourier: (holder, untilMs, isGone) => write((change) => holdCourier(change, holder, untilMs, isGone)),
    leaveCourier: (holder) => write((change) => leaveCourier(change, holder)),
    writeDeliveries: (holder, upTo, notices) => write((change) => writeDeliveries(change, holder, upTo, notices)),
    dueDeliveries: (limit) => dueDeliveries(sql, clock.now(), limit),
    nextDeliveryMs: () => nextDeliveryMs(sql),
    noteAttempts: (attempts) => write((change) => noteAttempts(change, attempts)),
  } satisfies Partial<Records>;
}
