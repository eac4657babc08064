/**
 * How much one address, and all together, may ask: what is too much is refused at once, never queued.
 *
 * B1. Of one address: a bucket of tokens; empty, the answer is 429 with the time until the next.
 * B2. Of all together: so many requests under way and so many streams; beyond, 503.
 * B3. The buckets are bounded themselves: full ones say nothing and are dropped.
 */
import { HttpError } from "./problem.ts";

export interface Bounds {
  /** Requests of one address in a second, on average. */
  readonly requestsPerSecond: number;
  /** Requests of one address at once. */
  readonly burst: number;
  /** Requests under way, streams not counted. */
  readonly maxRequests: number;
  readonly maxStreams: number;
  readonly maxConnections: number;
  readonly maxBodyBytes: number;
  readonly maxHeaderBytes: number;
  /** Until a request has come in whole, its body included. */
  readonly requestTimeoutMs: number;
  /** How long a stream's client may take nothing before it is dropped. */
  readonly stalledStreamMs: number;
}

export const defaultBounds: Bounds = {
  requestsPerSecond: 500,
  burst: 1_000,
  maxRequests: 512,
  maxStreams: 1_000,
  maxConnections: 2_000,
  maxBodyBytes: 16 * 1024 * 1024,
  maxHeaderBytes: 16 * 1024,
  requestTimeoutMs: 30_000,
  stalledStreamMs: 30_000,
};

interface Bucket {
  tokens: number;
  atMs: number;
}

export interface Limiter {
  /** Takes one request of an address. @throws {HttpError} `too_many_requests`. */
  take(address: string): void;
  /** Counts a request in; the function returned counts it out. @throws {HttpError} `overloaded`. */
  enter(what: "requests" | "streams"): () => void;
  readonly streams: number;
  readonly requests: number;
}

const maxBuckets = 10_000;

export function limiter(bounds: Bounds, nowMs: () => number): Limiter {
  const buckets = new Map<string, Bucket>();
  const under = { requests: 0, streams: 0 };
  const most = { requests: bounds.maxRequests, streams: bounds.maxStreams };

  function fill(bucket: Bucket, now: number): void {
    bucket.tokens = Math.min(bounds.burst, bucket.tokens + ((now - bucket.atMs) / 1_000) * bounds.requestsPerSecond);
    bucket.atMs = now;
  }
  /** B3 */
  function forgetFull(now: number): void {
    for (const [address, bucket] of buckets) {
      fill(bucket, now);
      if (bucket.tokens >= bounds.burst) buckets.delete(address);
    }
    for (const address of buckets.keys()) {
      if (buckets.size < maxBuckets) break;
      buckets.delete(address); // the oldest first
    }
  }
  return {
    take(address) {
      const now = nowMs();
      let bucket = buckets.get(address);
      if (bucket === undefined) {
        if (buckets.size >= maxBuckets) forgetFull(now);
        buckets.set(address, (bucket = { tokens: bounds.burst, atMs: now }));
      }
      fill(bucket, now);
      if (bucket.tokens < 1) {
        const wait = Math.ceil((1 - bucket.tokens) / bounds.requestsPerSecond);
        throw new HttpError(
          "too_many_requests",
          `More than ${String(bounds.requestsPerSecond)} requests a second. Ask less often.`,
          {
            "retry-after": String(wait),
          },
        );
      }
      bucket.tokens -= 1;
    },
    enter(what) {
      if (under[what] >= most[what]) {
        throw new HttpError("overloaded", `${String(most[what])} ${what} are under way. Try again in a moment.`);
      }
      under[what] += 1;
      let isIn = true;
      return () => {
        if (isIn) under[what] -= 1;
        isIn = false;
      };
    },
    get streams() {
      return under.streams;
    },
    get requests() {
      return under.requests;
    },
  };
}
