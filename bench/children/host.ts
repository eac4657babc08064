/** A host on the real CLI that submits what it is told to, says so, and works until it is killed. */
import { openPool } from "../../src/index.ts";

export interface HostOrder {
  readonly store: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly slots: number;
  /** Each is one call: so many tasks, whose prompts begin so. */
  readonly submit: readonly { readonly prompt: string; readonly tasks: number }[];
}

process.once("disconnect", () => process.exit(1));
const { submit, ...options } = JSON.parse(process.argv[2] ?? "") as HostOrder;
const pool = await openPool(options);
for (const { prompt, tasks } of submit) {
  await pool.submitMany(Array.from({ length: tasks }, (_, index) => `${prompt} ${String(index)}.`));
}
process.send?.("submitted");
