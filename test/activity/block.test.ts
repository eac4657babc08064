import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Block, blocksOf } from "../../src/activity/block.ts";

const fence = "```";

/** A block's usual reading, with what differs. */
function block(changed: Partial<Block>): Block {
  return { action: "completed", topic: "Auth fix", summary: "", affects: [], blocks: "", flags: [], ...changed };
}

function only(answer: string): Block | undefined {
  const { blocks } = blocksOf(answer);
  expect(blocks.length).toBeLessThanOrEqual(1);
  return blocks[0];
}

const body = "ACTION: completed\nTOPIC: Auth fix\n";

describe("what the original lost", () => {
  const kept: readonly (readonly [string, string])[] = [
    ["line ends of Windows", `${fence}pool\r\nACTION: completed\r\nTOPIC: Auth fix\r\n${fence}\r\n`],
    ["a space after the word", `${fence}pool \n${body}${fence}`],
    ["a space before the word", `${fence} pool\n${body}${fence}`],
    ["the word in capitals", `${fence}POOL\n${body}${fence}`],
    ["more after the word", `${fence}pool title="x"\n${body}${fence}`],
    ["a fence of tildes", `~~~pool\n${body}~~~`],
    ["a longer fence", `${fence}\`pool\n${body}${fence}\`\n`],
    ["a fence closed by a longer one", `${fence}pool\n${body}${fence}${fence}\n`],
    ["an indent of three", `   ${fence}pool\n${body}   ${fence}`],
    [
      "an indent inside a list",
      `- what I did\n\n      ${fence}pool\n      ACTION: completed\n      TOPIC: Auth fix\n      ${fence}`,
    ],
    ["a byte order mark and characters without width", `\uFEFF${fence}po\u200Bol\n${body}${fence}`],
  ];
  it.each(kept)("takes a block with %s", (_, answer) => {
    expect(only(answer)).toEqual(block({}));
  });

  it("takes a block whose fence the answer leaves open, up to the blank line", () => {
    expect(only(`${fence}pool\n${body}\nAll tests pass.`)).toEqual(block({ flags: ["truncated"] }));
  });

  it("leaves an open fence without an action alone", () => {
    expect(only(`${fence}pool\nTOPIC: Auth fix\n`)).toBeUndefined();
  });

  it("takes both blocks of an answer, in order", () => {
    const answer = `${fence}pool\n${body}${fence}\nand\n${fence}pool\nACTION: blocked\nTOPIC: No key\n${fence}`;
    expect(blocksOf(answer)).toEqual({
      blocks: [block({}), block({ action: "blocked", topic: "No key" })],
      remarks: [],
    });
  });

  it("takes five blocks and says how many there were", () => {
    const { blocks, remarks } = blocksOf(`${fence}pool\n${body}${fence}\n`.repeat(7));
    expect([blocks.length, remarks]).toEqual([5, ["an answer had 7 pool blocks; the first 5 were taken"]]);
  });

  it("goes on after three backticks inside a value", () => {
    const answer = `${fence}pool\nACTION: completed\nTOPIC: Auth fix\nSUMMARY: Use ${fence} for code\nAFFECTS: a.md\n${fence}`;
    expect(only(answer)).toEqual(block({ summary: `Use ${fence} for code`, affects: ["a.md"] }));
  });

  it("takes a mistyped key for the nearest one", () => {
    expect(only(`${fence}pool\n${body}SUMMRY: Mutex added.\n${fence}`)).toEqual(
      block({ summary: "Mutex added.", flags: ["fuzzy_key"] }),
    );
  });

  it.each([
    "**TOPIC:** Auth fix",
    "**TOPIC**: Auth fix",
    "**TOPIC: Auth fix**",
    "- TOPIC: Auth fix",
    "* `TOPIC`: Auth fix",
    "topic = Auth fix",
    "TOPIC：Auth fix",
    "TITLE: Auth fix",
  ])("reads the line %j", (line) => {
    expect(only(`${fence}pool\nACTION: completed\n${line}\n${fence}`)).toEqual(block({}));
  });

  it("joins the further lines of a summary, colons and all", () => {
    const answer = `${fence}pool\n${body}SUMMARY: First.\nNote: the second at https://example.org:80/x\n\n14:30 is the third\n${fence}`;
    expect(only(answer)?.summary).toBe("First. Note: the second at https://example.org:80/x 14:30 is the third");
  });
});

describe("what is no report", () => {
  const none: readonly (readonly [string, string])[] = [
    ["an empty block", `${fence}pool\n${fence}`],
    ["prose without colons", `${fence}pool\nnothing to say here\n${fence}`],
    ["a block with neither topic nor summary", `${fence}pool\nINSTANCE: A\nACTION: completed\n${fence}`],
    ["an example inside a longer fence", `${fence}\`markdown\n${fence}pool\n${body}${fence}\n${fence}\`\n`],
    ["an example inside a fence of tildes", `~~~\n${fence}pool\n${body}${fence}\n~~~`],
    [
      "an example in a list item's fence",
      `- ${fence}\`md\n  ${fence}pool\n  ACTION: completed\n  TOPIC: x\n  ${fence}\n  ${fence}\`\n`,
    ],
    ["an example in a quote", `> ${fence}pool\n> ACTION: completed\n> TOPIC: x\n> ${fence}`],
    ["an example in an HTML comment", `<!--\n${fence}pool\n${body}${fence}\n-->`],
    ["an example in indented code", `Text.\n\n    ${fence}pool\n    ACTION: completed\n    TOPIC: x\n    ${fence}`],
    ["another language", `${fence}pooling\n${body}${fence}`],
    ["inline code", `${fence}pool ACTION: x${fence}\nTOPIC: y`],
  ];
  it.each(none)("finds nothing in %s", (_, answer) => {
    expect(blocksOf(answer).blocks).toEqual([]);
  });

  it("takes the block that follows a closed comment", () => {
    expect(only(`<!-- a --> and <!--\nb\n-->\n${fence}pool\n${body}${fence}`)).toEqual(block({}));
  });
});

describe("fields", () => {
  const read = (lines: string): Block | undefined => only(`${fence}pool\n${body}${lines}\n${fence}`);

  it.each([
    ["AFFECTS: auth.py, session_handler.py", ["auth.py", "session_handler.py"]],
    ["AFFECTS:\n- `src/a.ts:12-40`\n- 'b.ts' (new)\n* c/; d.ts:7", ["src/a.ts", "b.ts", "c/", "d.ts"]],
    ["AFFECTS: port:3000, deploy:staging, none", ["port:3000", "deploy:staging"]],
    ["FILES: a.ts\nAFFECTS: b.ts", ["a.ts", "b.ts"]],
    ["AFFECTS: *.ts, app/(group)/page.tsx", ["*.ts", "app/(group)/page.tsx"]],
  ] as const)("%j affects %j", (lines, affects) => {
    expect(read(lines)?.affects).toEqual(affects);
  });

  it.each([
    ["TTL: 900", 900],
    ["TTL: 15m", 900],
    ["TTL: 1.5 h", 5_400],
    ["EXPIRES: 2 days", 172_800],
    ["TTL: until tonight", undefined],
  ] as const)("%j lives %j seconds", (line, seconds) => {
    expect(read(line)?.ttl).toBe(seconds);
  });

  it.each(["None", "none, just FYI", "N/A", "nothing.", "-", "null", "no"])("BLOCKS %j blocks nothing", (text) => {
    expect(read(`BLOCKS: ${text}`)?.blocks).toBe("");
  });

  it.each(["None of the tests run", "No deploys until five"])("BLOCKS %j is kept", (text) => {
    expect(read(`BLOCKS: ${text}`)?.blocks).toBe(text);
  });

  it("takes another word for a key only while its field is unset", () => {
    expect(read("SUMMARY: Done.\nDetails: see the log\n  Files: many")?.summary).toBe(
      "Done. Details: see the log Files: many",
    );
  });

  it("drops an unknown key in capitals with what continues it, and says so", () => {
    const answer = `${fence}pool\n${body}SUMMARY: Done.\nPRIORITY: high\nvery\n${fence}`;
    expect(blocksOf(answer)).toEqual({
      blocks: [block({ summary: "Done." })],
      remarks: ["a pool block has an unknown key priority; its line was dropped"],
    });
  });

  it("says that an action is unknown, and keeps the entry", () => {
    const { blocks, remarks } = blocksOf(`${fence}pool\nACTION: pondering\nTOPIC: x\n${fence}`);
    expect([blocks[0]?.action, remarks]).toEqual([
      "pondering",
      ['a pool block has the unknown action "pondering"; it was taken for signaling'],
    ]);
  });

  it("reads a body in JSON", () => {
    const json =
      '{"action": "claimed", "Topic": "Auth", "files": ["a.ts", "b.ts"], "ttl": 600, "ref": "x", "instance": "B"}';
    expect(only(`${fence}pool\n${json}\n${fence}`)).toEqual(
      block({ action: "claimed", topic: "Auth", affects: ["a.ts", "b.ts"], ttl: 600, ref: "x", declaredInstance: "B" }),
    );
  });

  it("reads lines where a brace begins no JSON", () => {
    expect(only(`${fence}pool\n{ broken\n${body}${fence}`)).toEqual(block({}));
  });
});

describe("for every text", () => {
  it("reads without throwing, in time that grows with the text", () => {
    const line = fc.oneof(
      fc.constantFrom(
        "```pool",
        "```",
        "~~~",
        "````",
        "<!--",
        "-->",
        "> ",
        "- x",
        "    ",
        "ACTION: done",
        "TOPIC: t",
        "{",
        "}",
      ),
      fc.string({ unit: "grapheme" }),
    );
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const { blocks } = blocksOf(lines.join("\n"));
        return blocks.length <= 5 && blocks.every(({ topic, summary }) => `${topic ?? ""}${summary ?? ""}` !== "");
      }),
    );
  });

  it("gives back the fields of any block that was written by the rules", () => {
    const word = fc.stringMatching(/^[a-z]{1,12}( [a-z]{1,12}){0,4}$/);
    fc.assert(
      fc.property(fc.constantFrom("completed", "claimed", "blocked"), word, word, (action, topic, summary) => {
        const answer = `Before.\n${fence}pool\nACTION: ${action}\nTOPIC: ${topic}\nSUMMARY: ${summary}\n${fence}\nAfter.`;
        expect(blocksOf(answer).blocks).toEqual([block({ action, topic, summary })]);
      }),
    );
  });
});
