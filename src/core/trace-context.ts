/** The W3C trace context that a request comes with: checked, and what of it is worth keeping. */

export interface TraceContext {
  /** Always as version 00 has it. */
  readonly traceparent: string;
  /** Of the caller's tracing systems; handed on as it came. */
  readonly tracestate?: string;
}

/** Version, trace, span and flags; a later version may say more behind them. */
const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Undefined for everything that is none: as the recommendation says, the trace then begins anew. */
export function traceContextOf(traceparent: unknown, tracestate: unknown): TraceContext | undefined {
  if (typeof traceparent !== "string") return undefined;
  const [, version, traceId = "", spanId = "", flags = "", more] = form.exec(traceparent.trim()) ?? [];
  if (version === undefined || version === "ff" || (version === "00" && more !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  const sampled = Number.parseInt(flags, 16) & 1;
  const state = stateOf(tracestate);
  return {
    traceparent: `00-${traceId}-${spanId}-0${String(sampled)}`,
    ...(state === undefined ? {} : { tracestate: state }),
  };
}

/** A name, or a tenant's at a system's. */
const name = /^([a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})$/;
/** Printable, without comma and equals sign, and no space at its end. */
const value = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;
const mostMembers = 32;
const longest = 512;

/** All of it or nothing: a part alone could say something else. */
function stateOf(given: unknown): string | undefined {
  if (typeof given !== "string" || given.length > 2 * longest) return undefined;
  const members = given
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");
  const names = members.map((one) => one.split("=", 1)[0] ?? "");
  const isGood = members.every((one, index) => {
    const own = names[index] ?? "";
    return name.test(own) && value.test(one.slice(own.length + 1)) && names.indexOf(own) === index;
  });
  const state = members.join(",");
  return isGood && members.length > 0 && members.length <= mostMembers && state.length <= longest ? state : undefined;
}
