/** The memory of the pool's own process with 10,000 pending tasks. */
import { join } from "node:path";
import type { PendingAnswer, PendingOrder } from "../children/pending.ts";
import { type Bench, median, round } from "../figure.ts";
import { startChild } from "../ground/child.ts";
import { withFolder } from "../ground/folder.ts";

const tasks = 10_000;

export const memory: Bench = async ({ quick }) => {
  const answers: PendingAnswer[] = [];
  for (let number = 0; number < (quick ? 1 : 3); number += 1) answers.push(await weigh());
  const megabytes = (bytes: (answer: PendingAnswer) => number): number => round(median(answers.map(bytes)) / 1e6, 0);
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
        pending: median(answers.map(({ pending }) => pending)),
      },
    },
  ];
};

/** One process, weighed: resident memory, Node and its reading of TypeScript included. */
function weigh(): Promise<PendingAnswer> {
  return withFolder(async (folder) => {
    const order: PendingOrder = {
      store: join(folder, "pool.db"),
      cwd: folder,
      tasks,
      batch: 1_000,
      promptCharacters: 1_000,
    };
    const child = startChild(new URL("../children/pending.ts", import.meta.url), order, folder);
    const answer = (await child.says()) as PendingAnswer;
    await child.kill();
    return answer;
  });
}
