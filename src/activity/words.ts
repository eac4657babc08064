/**
 * Whether a text has a keyword: whole words only, so that "input" has no "npu" and "clipboard" no "clip".
 *
 * A word is found as it stands and by its parts (`tokenRefresh`, `token_refresh`), in singular and plural. Most keywords occur in
 * few texts, so a text is taken apart only once it has the keyword's letters somewhere: ranking reads thousands of entries.
 */

/** A keyword, made ready to be looked for. */
export interface Keyword {
  readonly word: string;
  /** Letters that every text with this keyword has. */
  readonly probe: string;
  /** One word without parts: where it is found does not depend on the words beside it. */
  readonly single: boolean;
  /** As whole words and, where that differs, by its parts; of each word the forms. */
  readonly runs: readonly Run[];
}

type Run = readonly (readonly string[])[];

/** Undefined if nothing of it is a word. */
export function keywordOf(word: string): Keyword | undefined {
  const runs = runsOf(word.normalize("NFKC"));
  const probe = runs.at(-1)?.[0]?.at(-1);
  return probe === undefined
    ? undefined
    : {
        word: word.normalize("NFKC").toLowerCase(),
        probe,
        single: runs.length === 1 && runs[0]?.length === 1,
        runs,
      };
}

/** A text in which keywords are looked for. */
export class SearchText {
  readonly #text: string;
  readonly #lower: string;
  #runs: readonly Run[] | undefined;

  constructor(text: string) {
    this.#text = isAscii.test(text) ? text : text.normalize("NFKC");
    this.#lower = this.#text.toLowerCase();
  }

  has(keyword: Keyword): boolean {
    const first = this.#lower.indexOf(keyword.probe);
    if (first < 0) return false;
    if (keyword.single && this.#lower.length === this.#text.length) return this.#hasWord(keyword, first);
    const runs = (this.#runs ??= runsOf(this.#text));
    return isIn(runs, keyword);
  }

  /** Looks only at the words that the letters stand in. */
  #hasWord(keyword: Keyword, first: number): boolean {
    for (let at = first; at >= 0; at = this.#lower.indexOf(keyword.probe, at + 1)) {
      let [start, end] = [at, at + keyword.probe.length];
      while (start > 0 && isWordPart(this.#text, start - 1)) start -= 1;
      while (end < this.#text.length && isWordPart(this.#text, end)) end += 1;
      if (this.#lower.slice(start, end) === keyword.word || isIn(runsOf(this.#text.slice(start, end)), keyword))
        return true;
    }
    return false;
  }
}

/** The words of a text that say most about it: long ones that come often, at most so many; no numbers, no names of many parts. */
export function topTerms(text: string, count: number): readonly string[] {
  const times = new Map<string, number>();
  for (const word of text
    .slice(0, 20_000)
    .toLowerCase()
    .match(/(?<![\p{L}\p{N}_/-])\p{L}{4,20}(?![\p{L}\p{N}_/-])/gu) ?? []) {
    if (!common.has(word)) times.set(word, (times.get(word) ?? 0) + 1);
  }
  const ranked = [...times].sort(([a, n], [b, m]) => m - n || b.length - a.length);
  return ranked.slice(0, count).map(([word]) => word);
}

// eslint-disable-next-line no-control-regex -- the whole of ASCII is meant
const isAscii = /^[\u0000-\u007f]*$/u;

function runsOf(text: string): readonly Run[] {
  const words = text.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== "");
  if (words.length === 0) return [];
  const parts = words.flatMap((word) =>
    word
      .replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, "$1 $2")
      .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, "$1 $2")
      .split(" "),
  );
  const whole = words.map((word) => formsOf(word.toLowerCase()));
  return parts.length === words.length ? [whole] : [whole, parts.map((part) => formsOf(part.toLowerCase()))];
}

/** The word itself, and what it may be the plural of; the shortest last. */
function formsOf(word: string): readonly string[] {
  if (word.length < 4 || !/[^sui]s$/u.test(word)) return [word];
  const one = word.slice(0, -1);
  return /(?:[sxz]|ch|sh)es$/u.test(word) ? [word, one, one.slice(0, -1)] : [word, one];
}

function isIn(runs: readonly Run[], keyword: Keyword): boolean {
  return keyword.runs.some((wanted) => runs.some((run) => contains(run, wanted)));
}

/** Letters and digits; what is not ASCII counts as one, and is looked at when the word is taken apart. */
function isWordPart(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57) || code > 127;
}

function contains(run: Run, wanted: Run): boolean {
  for (let start = 0; start + wanted.length <= run.length; start += 1) {
    if (wanted.every((forms, index) => run[start + index]?.some((form) => forms.includes(form)) === true)) return true;
  }
  return false;
}

/** What prompts are full of. */
const common: ReadonlySet<string> = new Set(
  (
    "about above after again also although always another anything back because been before begin being below between both bring " +
    "call cannot change check code come could create does doing done down each either else even every everything file files find " +
    "first from getting give given going good have having help here into issue just keep know last least less like line lines list " +
    "look looks made make makes many maybe mean more most much must need needs never next nothing only other over page part please " +
    "problem really right same show since some something still such sure take tell than that their them then there these they thing " +
    "think this those though through time under until update upon used uses using very want wants well were what when where whether " +
    "which while will with within without work works would write wrong your yours"
  ).split(" "),
);
