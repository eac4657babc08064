/**
 * How much an entry concerns a reader: 1 minus the product over distinct pieces of evidence of (1 - weight).
 *
 * R1. In [0, 1); more evidence never lowers it; the length of a keyword list and the number of terminals do not count.
 * R2. Worked out by the reader, from its own domain and from what it is doing; what the writer thought is not asked.
 * R3. Only a configured domain hides. A reader without one starts from a neutral 0.5, and what it does ranks the entries.
 */
import type { Entry } from "./entry.ts";
import { keywordOf, SearchText, type Keyword } from "./words.ts";

/** What a label's terminal usually works on. */
export interface Domain {
  readonly keywords: readonly string[];
  /** Keywords that say little. */
  readonly weak: readonly string[];
  /** Files and directories, as in the working set. */
  readonly paths: readonly string[];
}

/** What is known of a reader. */
export interface Reader {
  readonly domain?: Domain;
  /** Files it worked on, relative to the top of the working tree. */
  readonly files: readonly string[];
  readonly branch?: string;
  /** Ids of its open claims. */
  readonly claims: readonly string[];
  /** Words of its last prompts. */
  readonly terms: readonly string[];
}

export type Evidence = Pick<Entry, "topic" | "summary" | "affects" | "paths" | "branch" | "ref">;

/** An entry from this score on is shown. */
export const threshold = 0.3;

const weight = { keyword: 0.5, generic: 0.125, term: 0.25, file: 0.8, directory: 0.4, branchOrClaim: 0.6 } as const;
const neutral = 0.5;

const genericWords = "core system service module integration data test config api server client".split(" ");

/**
 * A function that scores entries for a reader.
 *
 * @param recent the last live entries, up to 200 of them: a keyword that is in over a quarter says little.
 */
export function relevanceFor(reader: Reader, recent: readonly Evidence[] = []): (entry: Evidence) => number {
  const texts = new Map<Evidence, SearchText>();
  const textOf = (entry: Evidence): SearchText => {
    const known = texts.get(entry) ?? new SearchText(`${entry.topic}\n${entry.summary}\n${entry.affects}`);
    texts.set(entry, known);
    return known;
  };
  const weights = keywordWeights(reader, recent.slice(-200).map(textOf));
  const files = [...reader.files, ...(reader.domain?.paths ?? [])].map(withoutGlob);
  const places = { files: new Set(files), directories: new Set(files.flatMap((file) => parentOf(file) ?? [])) };
  const branch = isShared(reader.branch) ? undefined : reader.branch;
  const claims = new Set(reader.claims);
  const start = reader.domain === undefined ? 1 - neutral : 1;
  return (entry) => {
    let rest = start;
    const text = textOf(entry);
    for (const [keyword, strength] of weights) if (text.has(keyword)) rest *= 1 - strength;
    for (const strength of placeEvidence(entry.paths, places)) rest *= 1 - strength;
    if (branch !== undefined && (entry.branch === branch || mentions(entry, branch))) rest *= 1 - weight.branchOrClaim;
    if (entry.ref !== undefined && claims.has(entry.ref)) rest *= 1 - weight.branchOrClaim;
    return 1 - rest;
  };
}

/** A score as it is shown: two decimals, a half to the even one. */
export function roundedScore(score: number): number {
  const hundredths = score * 100;
  const floor = Math.floor(hundredths);
  const over = hundredths - floor;
  const isUp = Math.abs(over - 0.5) < 1e-9 ? floor % 2 === 1 : over > 0.5;
  return (isUp ? floor + 1 : floor) / 100;
}

type Weighed = readonly [Keyword, number];

function keywordWeights(reader: Reader, recent: readonly SearchText[]): readonly Weighed[] {
  // By the word in small letters; its capitals, which show its parts, are kept.
  const strengths = new Map<string, readonly [string, number]>();
  const add = (words: readonly string[], strength: number): void => {
    for (const word of words) strengths.set(word.toLowerCase(), [word, strength]);
  };
  add(reader.terms, weight.term);
  add(isShared(reader.branch) ? [] : branchWords(reader.branch), weight.keyword);
  add(reader.domain?.keywords ?? [], weight.keyword);
  add(reader.domain?.weak ?? [], weight.generic);
  const texts = recent.length < 20 ? [] : recent;
  return [...strengths.values()].flatMap(([word, strength]) => {
    const keyword = keywordOf(word);
    if (keyword === undefined) return [];
    const isCommon = texts.filter((text) => text.has(keyword)).length > texts.length / 4;
    return [[keyword, isCommon || isGeneric(keyword) ? Math.min(strength, weight.generic) : strength] as const];
  });
}

function isGeneric({ runs, word }: Keyword): boolean {
  const forms = runs.length === 1 && runs[0]?.length === 1 ? (runs[0][0] ?? []) : [];
  return [word, ...forms].some((form) => genericWords.includes(form));
}

function mentions(entry: Evidence, branch: string): boolean {
  return branch.length > 3 && (entry.topic.includes(branch) || entry.summary.includes(branch));
}

/** A branch that everybody stands on tells nothing. */
function isShared(branch: string | undefined): boolean {
  return branch === undefined || /^(?:main|master|trunk|develop|dev|HEAD)$/u.test(branch);
}

function branchWords(branch: string | undefined): readonly string[] {
  return (branch ?? "")
    .split(/[^\p{L}]+/u)
    .filter((word) => word.length > 3 && !/^(?:feature|feat|bugfix|hotfix|chore|issue|refactor)$/iu.test(word));
}

interface Places {
  readonly files: ReadonlySet<string>;
  readonly directories: ReadonlySet<string>;
}

/** One strength for each file in common, and for each directory in common that no file was. */
function placeEvidence(paths: readonly string[], { files, directories }: Places): readonly number[] {
  if (files.size === 0 || paths.length === 0) return [];
  const common = new Map<string, number>();
  for (const path of paths.map(withoutGlob)) {
    const parent = parentOf(path);
    if (files.has(path) || directories.has(path)) common.set(path, weight.file);
    else if (parent !== undefined && (directories.has(parent) || files.has(parent)))
      common.set(`${parent}/`, weight.directory);
  }
  return [...common.values()];
}

/** `src/auth/`, `src/auth/**` and `src/auth/*.ts` all stand for `src/auth`. */
function withoutGlob(path: string): string {
  const star = path.search(/[*?[{]/u);
  const plain = star < 0 ? path : path.slice(0, path.lastIndexOf("/", star) + 1);
  return plain.replace(/\/+$/u, "");
}

function parentOf(path: string): string | undefined {
  const slash = path.lastIndexOf("/");
  return slash <= 0 ? undefined : path.slice(0, slash);
}
