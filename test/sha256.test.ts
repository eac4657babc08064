import { createHash } from "node:crypto";
import fc from "fast-check";
import { it } from "vitest";
import { sha256Hex } from "../src/sha256.ts";

it("hashes every text as node:crypto does", () => {
  const text = fc.string({ unit: "binary", maxLength: 300 });
  fc.assert(fc.property(text, (one) => sha256Hex(one) === createHash("sha256").update(one).digest("hex")));
});
