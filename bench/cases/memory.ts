/** The memory of the pool's own process with 10,000 pending tasks: the built package, as users run it. */
import { join } from "node:path";
import { tryRun } from "../../scripts/run.ts";
import { type Bench, median, round } from "../figure.ts";
import { startChild } from "../ground/child.ts";
import { withFolder } from "../ground/folder.ts";

const order = { tasks: 10_000, batch: 1_000, promptCharacters: 1_000 };

/** In bytes. */
interface Weight {
  readonly pending: number;
  readonly before: number;
  readonly after: number;
  readonly peak: number;
}

export const memory: Bench = async ({ quick }) => {
  const build = await tryRun("npm", ["run", "--silent", "build"], { quiet: true });
  if (build.exitCode !== 0) throw new Error(`the package does not build:\n${build.output}`);
  const weights: Weight[] = [];
  for (let number = 0; number < (quick ? 2 : 5); number += 1) weights.push(await weigh());
  const megabytes = (bytes: (weight: Weight) => number): number => round(median(weights.map(bytes)) / 1e6, 0);
  return [
    {
      id: "memory_with_10000_pending",
      what: "the pool's own memory with 10,000 pending tasks",
      value: megabytes(({ after }) => after),
      unit: "MB",
      target: { atMost: 150 },
      details: {
        before_submitting_mb: megabytes(({ before }) => before),
        peak_mb: megabytes(({ peak }) => peak),
        pending: median(weights.map(({ pending }) => pending)),
      },
    },
  ];
};

/** One process, weighed: resident memory, Node included. */
function weigh(): Promise<Weight> {
  return withFolder(async (folder) => {
    const program = new URL("../children/pending.js", import.meta.url);
    const child = startChild(program, { ...order, cwd: folder, store: join(folder, "pool.db") }, folder);
    const weight = (await child.says()) as Weight;
    await child.kill();
    return weight;
  });
}
