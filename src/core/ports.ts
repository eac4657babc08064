/**
 * What the pool needs of the machine, as narrow interfaces: a database, time, processes. The larger ports have files of their
 * own, `*-port.ts` and records.ts. One contract suite each (test/contract/) runs over every implementation.
 */

/** A value that SQL stores. */
export type SqlValue = null | number | bigint | string | Uint8Array;

export type SqlRow = Readonly<Record<string, SqlValue>>;

/**
 * A connection to the store's database.
 *
 * S1. Statements of one `tx` are atomic, and no other statement of this connection runs between them.
 * S2. `tx` takes the write lock at its start, so what it reads is what it writes on.
 * S3. Every failure is a PoolError with a `store_*` code, but for a value that cannot be bound at all (a TypeError); what the body
 *     throws passes through unchanged.
 */
export interface Sql {
  all(query: string, params?: readonly SqlValue[]): Promise<readonly SqlRow[]>;
  tx<T>(body: (sql: SqlTx) => Promise<T>): Promise<T>;
  /** Changes whenever another connection has committed; cheap enough to ask every few milliseconds. */
  version(): number;
  close(): Promise<void>;
}

/** The statements of one open transaction. */
export interface SqlTx {
  all(query: string, params?: readonly SqlValue[]): Promise<readonly SqlRow[]>;
  /** Runs a statement that returns no rows; resolves to the number of rows it changed. */
  run(query: string, params?: readonly SqlValue[]): Promise<number>;
}

/** Time, so that tests can hold it in their hands. */
export interface Clock {
  /** Milliseconds since the epoch; may jump. */
  now(): number;
  /** Milliseconds from an arbitrary start; never jumps. For durations. */
  monotonic(): number;
  /** Calls back once after so many milliseconds; the function returned cancels that. */
  after(ms: number, callback: () => void): () => void;
}

/** Who is a live process of this machine, told by pid and start time. */
export interface Processes {
  readonly bootId: string;
  /** This process. */
  readonly self: { readonly pid: number; readonly startTime: string };
  isAlive(process: { readonly pid: number; readonly startTime: string }): boolean;
  /** Memory that new processes may take without harm to others; undefined where the system does not tell. */
  freeMemoryBytes(): number | undefined;
}
