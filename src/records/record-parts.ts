/** What every method of the records stands on. */
import type { GovernorSettings } from "../core/governor.ts";
import type { Clock, Sql } from "../core/ports.ts";
import type { Dispatching } from "./dispatching.ts";
import type { Feed } from "./feed.ts";
import type { Write } from "./group-commit.ts";

export interface Parts {
  readonly sql: Sql;
  readonly clock: Clock;
  readonly governor: GovernorSettings;
  readonly feed: Feed;
  readonly dispatch: Dispatching;
  readonly write: <T>(body: Write<T>) => Promise<T>;
}
