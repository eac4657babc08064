/** Text of several tasks as it comes, told with the place of each. */
import type { Records } from "./core/records.ts";

export interface OutputListener {
  /** From now on this task's text is told with this place. */
  readonly add: (id: string, index: number) => void;
  readonly stop: () => void;
}

export function outputListener(records: Records, onOutput: (text: string, index: number) => void): OutputListener {
  const places = new Map<string, number>();
  const stop = records.follow((events) => {
    for (const event of events) {
      const index = event.type === "task.output" ? places.get(event.taskId ?? "") : undefined;
      if (event.type === "task.output" && index !== undefined) onOutput(event.data.text, index);
    }
  });
  return { add: (id, index) => places.set(id, index), stop };
}
