/** Automatic mode: its figures on the labelled endings, and the rules that they stand on. */
import { describe, expect, it } from "vitest";
import { guessOf } from "../../src/activity/auto.ts";
import { figures, precisionOf, recallOf, turnOf } from "./endings/figures.ts";
import { readEndings, readHeldBack, splitOf } from "./endings/read.ts";

describe("the labelled endings", () => {
  it("are 200 different ones, of which the half is held back that the split gives", () => {
    const endings = readEndings();
    expect({
      endings: endings.length,
      ids: new Set(endings.map(({ id }) => id)).size,
      answers: new Set(endings.map(({ answer }) => answer)).size,
      labels: [...new Set(endings.map(({ label }) => label))].sort(),
      heldBack: readHeldBack().length,
      split: splitOf(endings),
    }).toEqual({
      endings: 200,
      ids: 200,
      answers: 200,
      labels: ["blocked", "completed", "none"],
      heldBack: 100,
      split: readHeldBack(),
    });
  });

  // A change of the detector changes these figures: here by hand, in docs/activity-log.md by `npm run docs`. The held-back half is no
  // longer unseen once a rule has been changed because of it; whoever does that writes a new one.
  it("are guessed at as written down, on the half for building and on the one held back", () => {
    expect(figures()).toEqual({
      built: { completed: [28, 0, 10], blocked: [0, 18, 4], none: [0, 0, 40] },
      heldBack: { completed: [20, 0, 6], blocked: [0, 16, 9], none: [0, 0, 49] },
    });
  });

  it("are guessed at with the precision that lets automatic mode be offered", () => {
    const { built, heldBack } = figures();
    expect([precisionOf(built) >= 0.9, precisionOf(heldBack) >= 0.9, recallOf(heldBack) >= 0.5]).toEqual([
      true,
      true,
      true,
    ]);
  });
});

describe("a guess", () => {
  const repaired = ["Bash npm test => failed: 1 failed", "Edit src/auth/login.ts", "Bash npm test"];

  it("names what was done, in how many words, how surely, and where", () => {
    const answer =
      "I looked around first. I fixed the refresh in `src/auth/login.ts`. **All 12 tests pass.**\n\nLet me know!";
    expect(guessOf(turnOf({ answer, calls: repaired }))).toEqual({
      action: "completed",
      topic: "I fixed the refresh in src/auth/login.ts",
      summary: "I fixed the refresh in `src/auth/login.ts`. **All 12 tests pass.**",
      confidence: 1,
      edited: ["src/auth/login.ts"],
    });
  });

  it("takes its topic from the first sentence where the last says only that it is committed", () => {
    const answer = "The session cache drops entries that are a day old. Nothing else changed.\n\nCommitted.";
    expect(guessOf(turnOf({ answer, calls: ["Bash git commit -am x"] }))?.topic).toBe(
      "The session cache drops entries that are a day old",
    );
  });

  it("cuts a topic at 80 characters and a summary at 200", () => {
    const answer = `I fixed ${"the very long name of it ".repeat(30)}.`;
    const guess = guessOf(turnOf({ answer, calls: repaired }));
    expect([guess?.topic.length, guess?.summary.length]).toEqual([80, 200]);
  });

  it("looks only at the last two sentences", () => {
    const answer = "I fixed the parser. It reads two tokens ahead. The grammar is in the appendix.";
    expect(guessOf(turnOf({ answer, calls: repaired }))).toBeUndefined();
  });
});

const done = "I fixed the login.";
const stuck = "I can't reach the database server.";

it.each<readonly [string, string, readonly string[], string | undefined]>([
  ["nothing is known but words", done, [], undefined],
  ["only a file was edited", done, ["Edit a.ts"], undefined],
  ["a commit was made", done, ['Bash cd app && git commit -m "a; b | c"'], "completed"],
  [
    "a commit was made with a message of several lines",
    done,
    ["Bash git commit -m \"$(cat <<'EOF'\na | b\nEOF\n)\""],
    "completed",
  ],
  ["the commit failed", done, ["Bash git commit -am x => failed: hook declined"], undefined],
  ["a commit is only spoken of", done, ["Bash echo git commit"], undefined],
  ["a pipe hides how the tests ended", done, ["Edit a.ts", "Bash npm test | tail -5"], undefined],
  ["`|| true` hides how the tests ended", done, ["Edit a.ts", "Bash npm test || true"], undefined],
  ["the tests run in the background", done, ["Edit a.ts", "Bash npm test &"], undefined],
  ["the tests pass over an edit", done, ["Edit a.ts", "Bash npm test 2>&1"], "completed"],
  ["the tests pass, but nothing was edited", done, ["Bash npm test => failed: 1", "Bash npm test"], undefined],
  ["the edit was taken back", done, ["Edit a.ts", "Bash git checkout a.ts", "Bash npm test"], undefined],
  ["the tests failed after the commit", done, ["Bash git commit -am x", "Bash npm test => failed: 1"], undefined],
  ["a task was completed", done, ["TaskUpdate completed"], "completed"],
  ["a task was begun", done, ["TaskUpdate in_progress"], undefined],
  [
    "the terminal reported by command",
    done,
    ["Bash git commit -am x", "Bash claude-pool log post 'It works'"],
    undefined,
  ],
  ["the terminal reported by tool", done, ["Bash git commit -am x", "mcp__plugin_pool_pool__pool_log_post"], undefined],
  ["it is negated", "I have not fixed the login.", ["Bash git commit -am x"], undefined],
  ["it is negated further off", "None of this is really fixed.", ["Bash git commit -am x"], undefined],
  ["a problem is negated", "I fixed the login without any errors.", ["Bash git commit -am x"], "completed"],
  ["it is a condition", "Once this is merged, it is done.", ["Bash git commit -am x"], undefined],
  ["it is a question", "Is the login fixed?", ["Bash git commit -am x"], undefined],
  ["it is history", "The login was fixed two months ago.", ["Bash git commit -am x"], undefined],
  ["it is a hedge", "I fixed the login, I think.", ["Bash git commit -am x"], undefined],
  ["it is quoted", 'The log says:\n\n> Fixed the login.\n\n"Done."', ["Bash git commit -am x"], undefined],
  ["it is code", "The message:\n\n```\nFixed the login.\n```", ["Bash git commit -am x"], undefined],
  ["it is another agent's", "The agent says it is fixed.", ["Bash git commit -am x"], undefined],
  ["items of its list are open", "Done:\n- [x] one\n- [ ] two", ["Bash git commit -am x"], undefined],
  ["a call failed", stuck, ["Bash psql => failed: timeout"], "blocked"],
  ["no call failed", stuck, ["Bash ls"], undefined],
  ["what failed then worked", stuck, ["Bash psql => failed: timeout", "Bash psql"], undefined],
  ["work was finished after the failure", stuck, ["Bash psql => failed: timeout", "Bash git commit -am x"], undefined],
  ["it ends by asking for access", `${stuck} Please grant me access.`, [], "blocked"],
  ["it is a condition", "If I can't reach the database server, it stops.", ["Bash psql => failed: timeout"], undefined],
  [
    "it was got over",
    "I can't reach the server. I used the mirror instead.",
    ["Bash psql => failed: timeout"],
    undefined,
  ],
  ["nothing was found", "I can't find any issue with the server.", ["Bash psql => failed: timeout"], undefined],
])("where %s: %j", (_, answer, calls, action) => {
  expect(guessOf(turnOf({ answer, calls }))?.action).toBe(action);
});

it("leaves a subagent's ending to the one that sent it", () => {
  expect(guessOf(turnOf({ answer: done, calls: ["Bash git commit -am x"], subagent: true }))).toBeUndefined();
});
