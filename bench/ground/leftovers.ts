/** Processes told by a text in the environment they were started with: a folder of ours, or a marker. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** The pids of every living process, other than this one, whose environment holds the text. */
export function processesOf(text: string): readonly number[] {
  const found = process.platform === "linux" ? fromProc(text) : fromPs(text);
  return found.filter((pid) => pid !== process.pid);
}

/** Kills them until none is left; what one of them starts meanwhile inherits the text and is found by the next look. */
export function endProcessesOf(text: string): void {
  for (let look = 0; look < 100; look += 1) {
    const left = processesOf(text);
    if (left.length === 0) return;
    for (const pid of left) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // it ended by itself in the same moment
      }
    }
  }
}

function fromProc(text: string): readonly number[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      // A zombie has no environment any more, and nothing runs in it.
      return readFileSync(`/proc/${name}/environ`, "latin1").includes(text) ? [Number(name)] : [];
    } catch {
      return []; // it ended, or belongs to another user
    }
  });
}

function fromPs(text: string): readonly number[] {
  const environment = process.platform === "darwin" ? ["-A", "-E", "-ww"] : ["axeww"];
  const lines = execFileSync("ps", [...environment, "-o", "pid=,command="], {
    encoding: "utf8",
    maxBuffer: 256_000_000,
  });
  return lines.split("\n").flatMap((line) => (line.includes(text) ? [Number.parseInt(line, 10)] : []));
}
