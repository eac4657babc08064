import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Domain, type Evidence, type Reader, relevanceFor, roundedScore } from "../../src/activity/relevance.ts";
import { topTerms } from "../../src/activity/words.ts";

/** The four domains of the published example, with the word that its figures need in C's. */
const documented: Readonly<Record<string, readonly string[]>> = {
  A: ["pipeline", "orchestration", "integration", "core"],
  B: ["visual", "image", "clip", "llava", "asus"],
  C: ["inference", "oracle", "model", "training", "consciousness"],
  D: ["edge", "hailo", "jetson", "npu", "embedded"],
};

function domain(keywords: readonly string[], changed: Partial<Domain> = {}): Domain {
  return { keywords, weak: [], paths: [], ...changed };
}

function reader(changed: Partial<Reader>): Reader {
  return { files: [], claims: [], terms: [], ...changed };
}

function evidence(changed: Partial<Evidence>): Evidence {
  return { topic: "", summary: "", affects: "", paths: [], ...changed };
}

function score(who: Partial<Reader>, entry: Partial<Evidence>): number {
  return roundedScore(relevanceFor(reader(who))(evidence(entry)));
}

function scores(entry: Partial<Evidence>): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(documented).map(([label, words]) => [label, score({ domain: domain(words) }, entry)]),
  );
}

it("gives the published example its published scores", () => {
  const entry = {
    topic: "Oracle training data access",
    summary: "Cannot access training_data/interactions/",
    affects: "oracle_consciousness_integration.py",
  };
  expect(scores(entry)).toEqual({ A: 0.12, B: 0, C: 0.88, D: 0 });
});

it("finds no keyword inside another word", () => {
  const topic = "refactoring input handling, knowledge of the clipboard, monitoring the ledger";
  expect(scores({ topic })).toEqual({ A: 0, B: 0, C: 0, D: 0 });
});

describe("keywords", () => {
  it.each([
    [["token"], "tokenRefresh", 0.5],
    [["token"], "token_refresh.py", 0.5],
    [["LLaVA"], "the llava client", 0.5],
    [["llava"], "CLIP/LLaVA", 0.5],
    [["pull request"], "pullRequest", 0.5],
    [["pull request"], "a request to pull", 0],
    [["cache"], "two caches", 0.5],
    [["classes"], "a class", 0.5],
    [["status"], "the stat", 0],
    [["café"], "CAFE\u0301", 0.5],
    [["a", "b"], "a b", 0.75],
    [["a", "b", "c"], "a b c", 0.88],
    [["a", "A"], "a", 0.5],
    [["server"], "servers", 0.12],
    [["server", "client"], "server and client", 0.23],
    [["server", "client", "api"], "server, client, api", 0.33],
    [["..."], "...", 0],
  ] as const)("%j in %j scores %d", (keywords, topic, expected) => {
    expect(score({ domain: domain(keywords) }, { topic })).toBe(expected);
  });

  it("counts a keyword that was called weak as generic", () => {
    expect(score({ domain: domain(["deploy"], { weak: ["deploy"] }) }, { topic: "deploy" })).toBe(0.12);
  });

  it("counts a keyword as generic once over a quarter of twenty entries have it", () => {
    const recent = Array.from({ length: 20 }, (_, index) => evidence({ topic: index < 6 ? "cache" : "other" }));
    const cached = evidence({ topic: "cache" });
    const who = reader({ domain: domain(["cache"]) });
    expect([relevanceFor(who, recent)(cached), relevanceFor(who, recent.slice(0, 19))(cached)]).toEqual([0.125, 0.5]);
  });
});

describe("what the reader is doing", () => {
  const who = (changed: Partial<Reader>): Partial<Reader> => ({ domain: domain([]), ...changed });
  it.each([
    ["the same file", { files: ["src/a.ts"] }, { paths: ["src/a.ts"] }, 0.8],
    ["two of the same files", { files: ["src/a.ts", "src/b.ts"] }, { paths: ["src/a.ts", "src/b.ts"] }, 0.96],
    ["a file under a directory of the entry", { files: ["src/a.ts"] }, { paths: ["src/"] }, 0.8],
    ["a file under a glob of the entry", { files: ["src/a.ts"] }, { paths: ["src/**"] }, 0.8],
    ["the same directory", { files: ["src/a.ts"] }, { paths: ["src/b.ts", "src/c.ts"] }, 0.4],
    ["the root only", { files: ["a.ts"] }, { paths: ["b.ts"] }, 0],
    ["another directory", { files: ["src/a.ts"] }, { paths: ["test/a.ts"] }, 0],
    ["my branch", { branch: "login-rework" }, { branch: "login-rework" }, 0.6],
    ["a branch that everybody is on", { branch: "main" }, { branch: "main" }, 0],
    ["my open claim", { claims: ["c1"] }, { ref: "c1" }, 0.6],
    ["a word of my last prompts", { terms: ["latency"] }, { topic: "Latency halved" }, 0.25],
  ] as const)("scores %s", (_, doing, entry, expected) => {
    expect(score(who(doing), entry)).toBe(expected);
  });

  it("takes a configured path like a file that I work on", () => {
    expect(score({ domain: domain([], { paths: ["web/**"] }) }, { paths: ["web/app.ts"] })).toBe(0.4);
  });
});

describe("a reader without a domain", () => {
  it("finds everything half relevant, and what concerns its work more so", () => {
    const at = (entry: Partial<Evidence>): number => score({ files: ["src/a.ts"] }, entry);
    expect([at({ topic: "anything" }), at({ paths: ["src/a.ts"] })]).toEqual([0.5, 0.9]);
  });
});

describe("for every reader", () => {
  const word = fc.stringMatching(/^[a-z]{1,6}$/);
  const words = fc.array(word, { maxLength: 8 });
  it("stays in [0, 1), and no evidence more lowers it", () => {
    fc.assert(
      fc.property(words, words, word, words, (keywords, text, extra, paths) => {
        const entry = { topic: text.join(" "), paths };
        const less = relevanceFor(reader({ domain: domain(keywords) }))(evidence(entry));
        const more = relevanceFor(reader({ domain: domain([...keywords, extra]), files: paths }))(evidence(entry));
        return less >= 0 && less <= more && more < 1;
      }),
    );
  });

  it("takes no account of keywords that the entry has not", () => {
    fc.assert(
      fc.property(words, words, (keywords, text) => {
        const entry = evidence({ topic: text.join(" ") });
        const among = (list: readonly string[]): number => relevanceFor(reader({ domain: domain(list) }))(entry);
        expect(among([...keywords, "zzzzzzzzz", "yyyyyyyyy"])).toBe(among(keywords));
      }),
    );
  });
});

it("keeps of a prompt its telling words, and nothing that could be a key or a name of parts", () => {
  const prompt =
    "Please fix the latency of the latency probe; token sk-live-abcdefgh, path src/index and password hunter2hunter2";
  expect(topTerms(prompt, 3)).toEqual(["latency", "password", "probe"]);
});
