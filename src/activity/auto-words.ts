/**
 * How an answer ends, in its own words: its last two sentences of prose, and whether they say that work is finished or cannot go on.
 *
 * English only. Whatever is not plainly said counts as not said: a guess that is wrong costs others more than one that is missing.
 */

/** What the last sentences say. */
export interface Ending {
  /** What it is about. */
  readonly sentence: string;
  readonly sentences: readonly string[];
}

/** The last sentences, where one of them says that work is finished and none takes it back; the longest that says so is what it is about. */
export function finishedEnding(answer: string): Ending | undefined {
  const sentences = lastSentences(answer);
  const said = sentences.join(" ");
  if (unfinished.test(said) || hedge.test(said) || hearsay.test(said)) return undefined;
  if (sentences.some((sentence) => sentence.endsWith("?"))) return undefined;
  const saying = sentences.filter((one) => clausesOf(one).some(saysFinished));
  return saying.length === 0 ? undefined : { sentence: subjectOf(saying, answer), sentences };
}

/** The last sentences, where one of them says that something outside is missing, and none that it was got over. */
export function blockedEnding(answer: string): (Ending & { readonly asks: boolean }) | undefined {
  const sentences = lastSentences(answer);
  const said = sentences.join(" ");
  if (gotOver.test(said) || hedge.test(said) || hearsay.test(said)) return undefined;
  const sentence = sentences.find(saysBlocked);
  if (sentence === undefined) return undefined;
  return { sentence, sentences, asks: asksForAccess.test(sentences.at(-1) ?? "") };
}

/** A sentence as it may stand in one line of the log: without markup, and with the code that it names. */
export function asTopic(sentence: string): string {
  return sentence
    .replace(/^(?:\p{So}\uFE0F?\s*)+/u, "")
    .replace(/`|\*+(?=\S)|(?<=\S)\*+|__/gu, "")
    .replace(/[.!:]+$/u, "")
    .trim();
}

/** "Committed." and "All tests pass." say nothing of what was done; the answer's first sentence does. */
function subjectOf(saying: readonly string[], answer: string): string {
  const longest = saying.toSorted((a, b) => b.length - a.length)[0] ?? "";
  const [first = ""] = proseOf(answer).flatMap(sentencesOf);
  return longest.split(" ").length < 5 && first.length > longest.length ? first : longest;
}

const windowLength = 2;

/** Offers of further work at the end say nothing of this one. */
const offer =
  /^(?:let me know|tell me|feel free|happy to|anything else|(?:would you like|do you want|shall I|should I)\b.*\b(?:also|too|as well|same|next|tomorrow|else)\b)/iu;

function lastSentences(answer: string): readonly string[] {
  const sentences = proseOf(answer).flatMap(sentencesOf);
  while (sentences.length > 1 && offer.test(sentences.at(-1) ?? "")) sentences.pop();
  return sentences.slice(-windowLength);
}

/** The paragraphs and list items, without code, quotations, tables, headings, and what comes under a heading about other work. */
function proseOf(answer: string): readonly string[] {
  const found: string[] = [];
  let fence: string | undefined;
  let isOther = false;
  for (const line of answer.split(/\r\n|\r|\n/u)) {
    const mark = /^\s*(`{3,}|~{3,})/u.exec(line)?.[1];
    if (fence !== undefined) {
      if (mark?.startsWith(fence) === true) fence = undefined;
      continue;
    }
    if (mark !== undefined) {
      fence = mark;
      continue;
    }
    if (/^\s*(?:#|\*\*[^*]+\*\*:?\s*$)/u.test(line)) isOther = /next|follow|later|recommend|note|remark/iu.test(line);
    else if (!isOther && /^\s*[^>|#\s]/u.test(line) && !ticked.test(line)) found.push(itemOf(line));
  }
  return found;
}

/** An item of a list that is done says nothing that the sentence above it does not; one that is open stays. */
const ticked = /^\s*[-*+]\s+\[[xX]\]\s/u;

/** A line without its bullet; of a very long one the end. */
function itemOf(line: string): string {
  return line
    .slice(-longestLine)
    .trim()
    .replace(/^(?:[-*+]|\d+[.)])\s+/u, "");
}

const longestLine = 4_000;

/** Dots inside names, versions and inline code end no sentence. */
function sentencesOf(line: string): readonly string[] {
  const parts = line.match(/(?:`[^`]*`|[^.!?`]|[.!?](?!["'”’)]*(?:\s|$))|`)+[.!?]*["'”’)]*/gu) ?? [];
  return parts.map((part) => part.trim()).filter((part) => part !== "");
}

function clausesOf(sentence: string): readonly string[] {
  return unquoted(sentence)
    .split(
      /[;:()–—]\s*|,\s+(?=(?:so|but|and|which|though|although|because|since|while)\b)|\s+(?=(?:but|because|although)\s)/iu,
    )
    .map((clause) => clause.replace(/^(?:so|but|and|which|as)\s+/iu, "").trim())
    .filter((clause) => clause !== "");
}

/** Without quoted words and inline code: they are names, not statements. */
function unquoted(sentence: string): string {
  return sentence.replace(/`[^`]*`/gu, "§").replace(/["“][^"”]*["”]/gu, "§");
}

const done =
  "(?:fixed|repaired|solved|resolved|added|implemented|completed|finished|merged|deployed|committed|pushed|published|released|shipped|removed|deleted|renamed|updated|upgraded|replaced|created|migrated|moved|wrote|written|rewrote|rewritten|documented|refactored|converted|installed|reverted|configured|applied|closed|eliminated|restored|opened|changed|registered|switched|split|extracted|made|set|corrected|cleaned up|put)";
const adverb = "(?:\\s+(?:also|now|just|both|all|successfully|then|therefore))*";
const finishedSentences: readonly RegExp[] = [
  new RegExp(`\\bI(?:['’]ve| have)?${adverb}\\s+${done}\\b`, "iu"),
  new RegExp(`^I(?:['’]ve| have)?\\b.*\\band${adverb}\\s+${done}\\b`, "iu"),
  new RegExp(`\\b(?:is|are|was|were|has been|have been)${adverb}\\s+(?:done|complete|in place|${done})\\b`, "iu"),
  new RegExp(`^(?:\\p{So}\\uFE0F?\\s*)?(?:done|${done})\\b`, "iu"),
  /\b(?:all|both|every|the|\d+)\b.{0,30}\b(?:tests?|checks?|suite|build)\b.{0,30}\b(?:pass(?:es|ed)?|succeeds?|(?:is|are|was|were) (?:now )?(?:clean|green))\b/iu,
  /\b(?:works|builds|compiles|runs|passes|handles?|points?)\b.{0,40}\b(?:now|again)\b|\bnow (?:works|builds|compiles|passes|handles)\b/iu,
  /^everything (?:now )?pass(?:es|ed)\b/iu,
];

const negation = /(?:\b(?:not|never|nothing|none|neither|nor|cannot|without|hardly|barely|no)\b|n['’]t\b)/iu;
/** What sounds like a negation and is none. */
const noNegation =
  /\b(?:no longer|not only|no (?:\w+ )?(?:failures?|errors?|warnings?|problems?|issues?|conflicts?|flag)|without (?:a |any )?(?:\w+ )?(?:failures?|errors?|warnings?|problems?|issues?|conflicts?))\b/giu;
const conditional =
  /\b(?:if|when|whenever|once|unless|until|would|could|should|may|might|can|will|shall|going to|as soon as|in order to|to be|make sure)\b|['’]ll\b|['’]d\b/iu;
const history =
  /\b(?:ago|yesterday|last (?:year|month|week|night|march|june|spring)|previously|formerly|already|originally|back then|at the time|in (?:19|20)\d\d|this morning|two years)\b/iu;
const hedge =
  /\b(?:probably|maybe|perhaps|possibly|presumably|hopefully|I think|I believe|I guess|seems?|appears?|in theory|should (?:now )?(?:be|work)|may have|might have|if only)\b/iu;
const hearsay = /\b(?:agents?|subagents?|according to|reports? that|says? that|draft|proposed)\b/iu;
const unfinished =
  /\b(?:still (?!be\b)|not yet|yet to|half[- ](?:applied|done|finished|of|way)|(?:first|second|other) half|so far|remaining|remains?|(?:is|are) (?:left|missing)|to go|wip|skipped|I['’]ll|I will|let me (?!know)|I['’]m (?:now|going)|continuing|looking at next|next step|haven['’]t|hasn['’]t|isn['’]t (?:ready|done|finished)|don['’]t merge|(?:I|it|they) needs? (?:to|a)|before this is|fails?\b(?! before)|in progress|running in|you['’](?:ve|re)|have you)\b|\[ \]/iu;

function saysFinished(clause: string): boolean {
  const text = clause.replace(noNegation, "§");
  if (conditional.test(text) || history.test(text)) return false;
  return finishedSentences.some((pattern) => {
    const match = pattern.exec(text);
    return match !== null && !negation.test(wordsAround(text, match.index, match[0].length));
  });
}

/** The words of a match, and the four before and after it. */
function wordsAround(text: string, at: number, length: number): string {
  const before = text.slice(0, at).trim().split(/\s+/u).slice(-4);
  const after = text
    .slice(at + length)
    .trim()
    .split(/\s+/u)
    .slice(0, 4);
  return [...before, text.slice(at, at + length), ...after].join(" ");
}

const inability: readonly RegExp[] = [
  /\bI(?:['’]m| am| was)?\s+(?:can['’]t|cannot|can not|could ?n['’]t|could not|unable to|not able to|not allowed to|(?:don['’]t|do not) have|may not)\b/iu,
  /\b(?:can['’]t|cannot|could ?n['’]t|could not) (?:be (?:reached|installed|started|merged|downloaded|built|run|written|read|opened|pushed|pulled|resolved|done|verified|decrypted)|start|continue|proceed|connect)\b/iu,
  /^blocked:|\b(?:I['’]m|I am|is|are|it['’]s) (?:\w+ )?(?:blocked|stuck|on hold)\b|\bwaiting (?:for|until|on)\b/iu,
  /\bI need\b.+\b(?:before|to continue|to go on)\b|\b(?:before I can|until (?:the|that|it|this|somebody|someone))\b/iu,
  /\b(?:has|have|needs?) to be \w+ by\b|\bsome(?:one|body) (?:with|who|has)\b|\bmust be raised\b/iu,
  /\b(?:not part of|isn['’]t part of|no (?:remote|credentials|access|permission|key|driver|compiler|connection)|doesn['’]t resolve)\b/iu,
];
const resource =
  /§|\b(?:access|permissions?|rights?|credentials?|passwords?|tokens?|keys?|secrets?|accounts?|sudo|root|servers?|services?|api|database|registry|repositor(?:y|ies)|remote|network|proxy|vpn|host|port|disk|gpu|driver|daemon|docker|broker|kafka|branch|bucket|files?|environment|sandbox|connection|lock|state|quota|provider|console|container|image|compiler|simulator|browsers?|profile|licen[cs]e|data|approval|knowing|review|upstream|release|team|decision|main|values?|maintainers|dependencies)\b/iu;
const asksForAccess =
  /\b(?:grant|give|add|allow|send|register|sign in|log in|need|request|paste|provide|ask)\b.{0,80}(?:\b(?:access|permissions?|rights?|credentials?|keys?|tokens?|account|password|them)\b|\/add-dir)/iu;
const gotOver =
  /\b(?:instead|workaround is|worked around|anyway|works now|went through|no longer|is over|isn['’]t needed|by design|harmless|on purpose|continuing|mirror|earlier|at first|rolled back|help with)\b/iu;

function saysBlocked(sentence: string): boolean {
  const text = unquoted(sentence);
  if (/\b(?:if|would|when|whenever|unless)\b/iu.test(text) || history.test(text)) return false;
  if (/\b(?:find|see|spot|think of) (?:any|no|a)\b|\bno (?:issues?|errors?|problems?)\b/iu.test(text)) return false;
  return inability.some((pattern) => pattern.test(text)) && resource.test(text);
}
