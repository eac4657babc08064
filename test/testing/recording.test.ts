import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { claudeProgram } from "./real-claude.ts";

const bin = join(import.meta.dirname, "..", "fixtures", "bin");

test("the installed CLI still says what the fixtures were recorded from", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(bin, "record.ts"), claudeProgram()], {
    maxBuffer: 10_000_000,
  });

  expect(shape(JSON.parse(stdout))).toEqual(
    shape(JSON.parse(readFileSync(join(bin, "recorded-2.1.328.json"), "utf8"))),
  );
});

/** Fields that depend on how fast a machine is, or on the day. */
const timing = /(_ms|_size|wall)$|^(diagnostics|context_management)$/;

/** Names instead of values, except the values that say what kind of message it is. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.every((item) => typeof item === "object") ? value.map(shape) : "list";
  if (typeof value !== "object" || value === null) return value === null ? "null" : typeof value;
  const fields = Object.entries(value).filter(([name]) => !timing.test(name));
  return Object.fromEntries(
    fields.map(([name, item]: [string, unknown]) => [
      name,
      ["type", "subtype", "state"].includes(name) ? item : shape(item),
    ]),
  );
}
