import { PassThrough } from "node:stream";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { counted, duration, elapsed, usd } from "../../src/cli/quantities.ts";
import { colours } from "../../src/cli/terminal/colour.ts";
import { Progress } from "../../src/cli/terminal/progress.ts";
import { oneLine, table } from "../../src/cli/terminal/table.ts";

const terminal = (): PassThrough & { isTTY: boolean; columns: number } =>
  Object.assign(new PassThrough({ encoding: "utf8" }), { isTTY: true, columns: 20 });

describe("colour", () => {
  it.each([
    ["a terminal", terminal(), {}, "\u001b[32mx\u001b[39m"],
    ["a terminal with NO_COLOR", terminal(), { NO_COLOR: "1" }, "x"],
    ["a terminal with an empty NO_COLOR", terminal(), { NO_COLOR: "" }, "\u001b[32mx\u001b[39m"],
    ["a dumb terminal", terminal(), { TERM: "dumb" }, "x"],
    ["a pipe", new PassThrough(), {}, "x"],
  ])("on %s is what it should be", (_name, sink, env, text) => {
    expect(colours(sink, env).green("x")).toEqual(text);
  });
});

describe("a table", () => {
  it("aligns columns by what is seen, figures at the right", () => {
    expect(
      table(
        [
          ["ID", "COST"],
          ["a", "$10"],
          ["\u001b[1mlonger\u001b[22m", "$1"],
        ],
        { right: [1] },
      ),
    ).toEqual(["ID      COST", "a        $10", "\u001b[1mlonger\u001b[22m    $1"]);
  });

  it("cuts what does not fit a terminal, of lines with colours too", () => {
    const rows = [
      ["ID", "STATE", "PROMPT"],
      ["a", "\u001b[32mdone\u001b[39m", "Write a test"],
    ];
    expect(table(rows, { width: 16 })).toEqual(["ID  STATE  PROM…", "a   \u001b[32mdone\u001b[39m   Writ…"]);
  });

  it("never lets a control character of a text through", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => !/\p{Cc}/u.test(oneLine(text, 80))));
  });
});

describe("progress", () => {
  it("rewrites one line on a terminal, above which notes stay", () => {
    const sink = terminal();
    const progress = new Progress(sink);
    progress.begin(() => "1/3 done");
    progress.note("task-1 completed");
    progress.end();
    expect(sink.read()).toEqual("1/3 done\r\u001b[2Ktask-1 completed\n1/3 done\r\u001b[2K");
  });

  it("lets other text be written to its end before a note or the line come back", async () => {
    const sink = terminal();
    const progress = new Progress(sink);
    progress.begin(() => "1/3 done");
    await progress.aside(async () => {
      sink.write("task-1, ");
      progress.note("task-2 completed");
      await Promise.resolve();
      sink.write("its answer\n");
    });
    progress.end();
    expect(sink.read()).toEqual("1/3 done\r\u001b[2Ktask-1, its answer\ntask-2 completed\n1/3 done\r\u001b[2K");
  });

  it("writes only what stays where there is no terminal", () => {
    const sink = new PassThrough({ encoding: "utf8" });
    const progress = new Progress(sink);
    progress.begin(() => "1/3 done");
    progress.note("task-1 completed");
    progress.end();
    expect(sink.read()).toEqual("task-1 completed\n");
  });
});

describe("quantities", () => {
  it("reads durations with their unit", () => {
    expect(["90s", "1.5h", "30d", "250ms"].map(duration("--x", Infinity))).toEqual([
      90_000, 5_400_000, 2_592_000_000, 250,
    ]);
  });

  it("writes one of a thing as one", () => {
    expect([counted(0, "slot"), counted(1, "slot"), counted(2, "slot")]).toEqual(["0 slots", "1 slot", "2 slots"]);
  });

  it("writes times and money as people read them", () => {
    expect([elapsed(250), elapsed(1_234), elapsed(83_000), elapsed(3_700_000), usd(1_234)]).toEqual([
      "250ms",
      "1.2s",
      "1m23s",
      "1h01m",
      "$0.0012",
    ]);
  });
});
