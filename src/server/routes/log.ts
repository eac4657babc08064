/** The activity log that terminals share: what is reported, claimed and released over HTTP is a terminal's word like any other. */
import type { ActivityLog } from "../../activity-log.ts";
import { defined } from "../../core/config.ts";
import { shownClaim, shownEntry, shownPresence } from "../../log-answers.ts";
import { openActivityLog } from "../../open-activity-log.ts";
import type { Pool } from "../../pool.ts";
import { claimedAnswer, postedAnswer, releasedAnswer } from "../../schema/answers-activity.ts";
import { logClaimsAnswer, logListAnswer, presenceListAnswer } from "../../schema/answers-rest.ts";
import { parseClaim, parseLogList, parsePost, parseRelease } from "../../schema/activity.ts";
import { logClaimBody, logPostBody, logQuery, logReleaseBody, parseRest } from "../../schema/rest.ts";
import type { Route } from "../route.ts";

const tag = "log";

export const logRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/v1/log",
    name: "listLog",
    summary: "Entries of the project's activity log, newest first",
    tag,
    query: logQuery,
    status: 200,
    answer: logListAnswer,
    handle({ pool, query }) {
      const { limit = 50, ...wanted } = parseLogList(query, "wire");
      return Promise.resolve({
        entries: logOf(pool)
          .list({ ...wanted, limit })
          .entries.map(shownEntry),
      });
    },
  },
  {
    method: "POST",
    path: "/v1/log",
    name: "postToLog",
    summary: "Report something to the other terminals",
    tag,
    body: logPostBody,
    status: 200,
    answer: postedAnswer,
    async handle({ pool, body }) {
      const { instance, ...rest } = parseRest(logPostBody, body);
      const { written, because, entry, conflict } = await logOf(pool, instance).post(parsePost(rest));
      return {
        written,
        ...defined({ because, entry: entry && shownEntry(entry), conflict: conflict && shownClaim(conflict) }),
      };
    },
  },
  {
    method: "GET",
    path: "/v1/log/claims",
    name: "listClaims",
    summary: "The claims that stand, the first first",
    tag,
    status: 200,
    answer: logClaimsAnswer,
    handle: ({ pool }) => Promise.resolve({ claims: logOf(pool).claims().map(shownClaim) }),
  },
  {
    method: "POST",
    path: "/v1/log/claims",
    name: "claimInLog",
    summary: "Ask others to stay out of something; `granted` says whether it holds",
    tag,
    body: logClaimBody,
    status: 200,
    answer: claimedAnswer,
    async handle({ pool, body }) {
      const { instance, ...rest } = parseRest(logClaimBody, body);
      const { granted, because, entry, conflict } = await logOf(pool, instance).claim(parseClaim(rest));
      return {
        granted,
        ...defined({ because, entry: entry && shownEntry(entry), conflict: conflict && shownClaim(conflict) }),
      };
    },
  },
  {
    method: "POST",
    path: "/v1/log/claims/release",
    name: "releaseClaims",
    summary: "End claims of a terminal: all, or those that are named",
    tag,
    body: logReleaseBody,
    isBodyOptional: true,
    status: 200,
    answer: releasedAnswer,
    async handle({ pool, body }) {
      const { instance, ...rest } = parseRest(logReleaseBody, body);
      const released = (await logOf(pool, instance).release(parseRelease(rest))).map(shownEntry);
      return { released, count: released.length };
    },
  },
  {
    method: "GET",
    path: "/v1/log/terminals",
    name: "listTerminals",
    summary: "The terminals that take part, the last seen first",
    tag,
    status: 200,
    answer: presenceListAnswer,
    handle: ({ pool }) => Promise.resolve({ terminals: logOf(pool).who().map(shownPresence) }),
  },
];

/** Whoever asks is a terminal of its own, by its label: never the session that the server was started in. */
function logOf(pool: Pool, instance = "http"): ActivityLog {
  const env = { ...process.env, ...pool.config().env };
  return openActivityLog({ cwd: pool.cwd, env, origin: "mcp", instance, sessionId: `http:${instance}` });
}
