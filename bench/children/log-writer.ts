/** Appends to an activity log as often as it is told, and says how long each append took. */
import { appendEntry } from "../../src/activity/append.ts";
import { newEntry } from "../../src/activity/entry.ts";
import { folderAt } from "../../src/activity/place.ts";

export interface LogWriterOrder {
  readonly root: string;
  readonly name: string;
  readonly appends: number;
  /** Milliseconds between two appends: terminals do not write without pause. */
  readonly pauseMs: number;
}

process.once("disconnect", () => process.exit(0));
const { root, name, appends, pauseMs } = JSON.parse(process.argv[2] ?? "") as LogWriterOrder;
const folder = folderAt(root);
const author = { instance: name, sessionId: name, project: "bench-0123456789ab", origin: "block" } as const;

async function append(index: number): Promise<number> {
  const summary = "What was done, and what others should know of it, in two sentences. No more than that is usual.";
  const entry = newEntry(
    { action: "completed", topic: `${name} ${String(index)}`, summary, paths: ["src/a/b.ts"] },
    author,
  );
  if (entry === undefined) throw new Error("no entry");
  const start = performance.now();
  const { locked } = await appendEntry(folder, entry, { waitMs: 2_000, unlimited: true });
  const took = performance.now() - start;
  if (!locked) throw new Error("an append went without the lock");
  return took;
}

for (let warmUp = 0; warmUp < 20; warmUp += 1) await append(-warmUp - 1);
process.send?.("ready");
process.once("message", () => {
  void (async () => {
    const times: number[] = [];
    for (let index = 0; index < appends; index += 1) {
      times.push(await append(index));
      await new Promise((resolve) => setTimeout(resolve, pauseMs * (0.5 + Math.random())));
    }
    process.send?.(times, () => process.disconnect());
  })();
});
