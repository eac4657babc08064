import { expect, it } from "vitest";
import { traceContextOf } from "../../src/core/trace-context.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const spanId = "00f067aa0ba902b7";
const good = `00-${traceId}-${spanId}-01`;

it.each([
  ["as the recommendation has it", good, good],
  ["with spaces around it", ` ${good} `, good],
  ["not sampled", `00-${traceId}-${spanId}-00`, `00-${traceId}-${spanId}-00`],
  ["with flags that nobody knows, which are not passed on", `00-${traceId}-${spanId}-ff`, good],
  ["of a later version, as far as this one knows it", `cc-${traceId}-${spanId}-01-what-comes`, good],
])("takes a trace context %s", (_what, given, expected) => {
  expect(traceContextOf(given, undefined)).toEqual({ traceparent: expected });
});

it.each([
  ["nothing", undefined],
  ["no text", 7],
  ["an empty text", ""],
  ["the version that there will never be", `ff-${traceId}-${spanId}-01`],
  ["more than its version has", `${good}-more`],
  ["more, and not even set apart", `cc-${traceId}-${spanId}-012`],
  ["large letters", good.toUpperCase()],
  ["a trace of zeros", `00-${"0".repeat(32)}-${spanId}-01`],
  ["a span of zeros", `00-${traceId}-${"0".repeat(16)}-01`],
  ["an id that is too short", `00-${traceId.slice(1)}-${spanId}-01`],
  ["what is not hexadecimal", `00-${traceId.replace("4", "g")}-${spanId}-01`],
  ["two of them", `${good}, ${good}`],
  ["a list of them", [good]],
  ["a line too many", `${good}\n`.repeat(2)],
])("takes %s for none", (_what, given) => {
  expect(traceContextOf(given, "vendor=1")).toBeUndefined();
});

it.each([
  ["is kept", "vendor=1,tenant@other=a b", "vendor=1,tenant@other=a b"],
  ["loses empty members", "vendor=1,, other=2", "vendor=1,other=2"],
  ["goes where one of its members is none", "vendor=1,NOT VALID", undefined],
  ["goes where a name is there twice", "vendor=1,vendor=2", undefined],
  ["goes where it has too many members", Array.from({ length: 33 }, (_, n) => `v${String(n)}=1`).join(","), undefined],
  ["goes where it is too long", `v=${"x".repeat(257)}`, undefined],
  ["goes where it is no text", { vendor: 1 }, undefined],
])("its state %s, and the context stays", (_what, given, expected) => {
  expect(traceContextOf(good, given)).toEqual({
    traceparent: good,
    ...(expected === undefined ? {} : { tracestate: expected }),
  });
});
