/** One task that this call brings its own slot for: its text as it comes, if asked for, and its answer. */
import type { TaskRecord, TaskSpec } from "../core/task.ts";
import type { Pool } from "../pool.ts";
import { attached } from "./attached.ts";
import type { Call } from "./call.ts";
import type { ExitCode } from "./exit.ts";

/** Submits, waits, prints; resolves to the exit code. */
export function runOne(call: Call, pool: Pool, spec: TaskSpec, onOutput: boolean): Promise<ExitCode> {
  let streamed = "";
  return attached(call, pool, [spec], {
    ...(onOutput
      ? {
          onText: (text) => {
            streamed += text;
            void (call.json ? call.io.stderr.write(text) : call.out.write(text));
          },
        }
      : {}),
    onEnd: (record) => show(call, record, streamed),
  });
}

async function show(call: Call, record: TaskRecord, streamed: string): Promise<void> {
  if (call.json) {
    await call.out.record(record);
    return;
  }
  if (streamed !== "" && !streamed.endsWith("\n")) await call.out.write("\n");
  const output = record.result?.output ?? "";
  // What was streamed holds the answer, unless the log cut it or the answer is no text of the model's.
  if (output !== "" && !streamed.includes(output)) await call.out.line(output);
}
