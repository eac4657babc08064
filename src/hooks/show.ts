/** What a terminal is told of the log: at its start, and with each prompt. */
import { statSync } from "node:fs";
import { overlap } from "../activity/glob.ts";
import { distinctLabel, isOwnOf, shownTo, type Terminal } from "../activity/news.ts";
import { fileId, readLog, readSince, type Cursor } from "../activity/read.ts";
import { compactView, fullView, isCompact, newsView, type Shown } from "../activity/render.ts";
import { redact } from "../activity/redact.ts";
import { topTerms } from "../activity/words.ts";
import { forgetSessions } from "../activity/sessions.ts";
import { livingClaims } from "../activity/write.ts";
import { claimed, entriesWithClaims } from "./claims.ts";
import { isSlot, otherTerminals, readerOf, saveTerminal, type HookTerminal } from "./terminal.ts";

/** Seconds after which what is known of a terminal is forgotten. */
const forgottenAfter = 14 * 86_400;

/** How much of the log's end a view is made from: some 150 entries, of which it shows ten. */
const viewBytes = 64 * 1024;

/**
 * SessionStart: what the terminal should know as it begins. All of it at `startup`, `clear` and `compact`; after `resume` and `fork`, whose
 * conversation has seen the earlier part, what came since.
 */
export function showAtStart(terminal: HookTerminal): string {
  const { env, input, memory, now, session, ground } = terminal;
  if (isSlot(terminal)) {
    saveTerminal(terminal);
    return "";
  }
  const since = input.source === "resume" || input.source === "fork" ? session.cursor : undefined;
  const { shown, cursor } = look(terminal, since);
  if (terminal.isNew) forgetSessions(ground.folder, now - forgottenAfter);
  if (shown.length === 0) {
    saveTerminal(terminal, { cursor });
    return "";
  }
  const twin = otherTerminals(terminal).find(({ label }) => label === session.label);
  const isToldNow = twin !== undefined && memory.warnedOf !== session.label;
  saveTerminal(terminal, { cursor }, isToldNow ? { warnedOf: session.label } : {});
  const view = {
    me: twin === undefined ? session.label : distinctLabel(session.label, session.sid),
    shown,
    now,
    ...(isToldNow ? { warning: `Another live terminal on this project calls itself ${session.label} too.` } : {}),
  };
  return isCompact(env.POOL_COMPACT) ? compactView(view) : fullView(view);
}

/** UserPromptSubmit: what others have written since the terminal last looked, and what it asked for and did not get. */
export function showNews(terminal: HookTerminal): string {
  const { ground, input, memory, now, session } = terminal;
  const terms = [topTerms(redact((input.prompt ?? "").slice(0, 20_000)).text, 5), ...memory.terms].slice(0, 3);
  const asked = { ...terminal, memory: { ...memory, terms } };
  const isCurrent = session.cursor !== undefined && isAtEnd(ground.folder.file, session.cursor);
  const known = { shown: [], ...(session.cursor === undefined ? {} : { cursor: session.cursor }) };
  const { shown, ...seen } = isCurrent || isSlot(terminal) ? known : look(asked, session.cursor);
  // Without a place to keep the cursor the same news would come with every prompt.
  if (!saveTerminal(asked, seen, { notices: [] })) return "";
  const news = newsView({ me: session.label, shown: shown.filter(({ isOwn }) => !isOwn), now });
  return [...memory.notices, news].filter((text) => text !== "").join("\n");
}

/** SubagentStart: what others hold. */
export function showClaims(terminal: HookTerminal): string {
  const { now, session } = terminal;
  const { shown } = look(terminal, undefined);
  const claims = shown.filter(({ entry, isOwn }) => entry.action === "claimed" && !isOwn);
  return newsView({ me: session.label, shown: claims, now });
}

/** The entries for this terminal, all or those after a cursor, and how far it has now seen. */
function look(
  terminal: HookTerminal,
  since: Cursor | undefined,
): { readonly shown: readonly Shown[]; readonly cursor: Cursor } {
  const { ground, now } = terminal;
  const reading = { now, project: ground.project, maxBytes: viewBytes, expired: true };
  const { entries, cursor } =
    since === undefined ? readLog(ground.folder, reading) : readSince(ground.folder, since, reading);
  if (entries.length === 0) return { shown: [], cursor };
  const reader = readerOf(terminal, []);
  const all = since === undefined && hasNearClaim(terminal, reader) ? entriesWithClaims(terminal) : entries;
  const claims = livingClaims(ground.folder, all, now, (entry) => isOwnOf(reader, entry));
  const known = new Set(entries.map(({ id }) => id));
  const older = since === undefined ? claims.map(({ entry }) => entry).filter(({ id }) => !known.has(id)) : [];
  const mine = claims.filter(({ entry }) => isOwnOf(reader, entry)).map(({ entry }) => entry.id);
  return {
    shown: shownTo({ ...reader, reader: { ...reader.reader, claims: mine } }, [...older, ...entries], claims, now),
    cursor,
  };
}

/** Does a claim concern the terminal, its own or one on what it works on? It counts also where its line is out of view. */
function hasNearClaim(terminal: HookTerminal, me: Terminal): boolean {
  const { files } = me.reader;
  // A terminal that is just starting has touched nothing and claimed nothing.
  if (files.length === 0 && terminal.input.source === "startup") return false;
  const isFar = (line: string): boolean => files.length === 0 && !me.sids.some((sid) => line.includes(sid));
  return claimed(terminal, isFar).some(
    (entry) => isOwnOf(me, entry) || entry.paths.some((path) => files.some((file) => overlap(path, file))),
  );
}

/** Most prompts come when nothing was written since: then the log is not even opened. */
function isAtEnd(path: string, cursor: Cursor): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? cursor.file === "" : stat.size === cursor.offset && fileId(stat) === cursor.file;
}
