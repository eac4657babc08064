/** Every process of this machine with what is needed to tell whose it is. */
import { execFile } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { promisify } from "node:util";

/** The variable that every process started by one Claude process carries. */
export const markerVariable = "CLAUDE_POOL_MARKER";

export interface ProcessEntry {
  readonly pid: number;
  readonly ppid: number;
  readonly pgid: number;
  /** Session id; where the system does not tell it, the process group, which a new session also changes. */
  readonly sid: number;
  /** As text, in the system's own form. */
  readonly startTime: string;
  readonly zombie: boolean;
}

export interface ProcessTable {
  list(): Promise<readonly ProcessEntry[]>;
  /** Those of the pids whose environment holds this marker. One that cannot be read does not count. */
  marked(pids: readonly number[], marker: string): Promise<ReadonlySet<number>>;
  /** The pid namespace of a process; undefined where there is none or it cannot be read. */
  namespaceOf(pid: number): string | undefined;
  /**
   * The processes of the namespace that this process is the first of, as they see themselves: a group from outside is 0.
   * Far cheaper than the whole table. Undefined: it cannot be looked into.
   */
  inside(init: number): readonly ProcessEntry[] | undefined;
}

/** The table of this system. */
export function processTable(): ProcessTable {
  return process.platform === "linux" ? linuxTable : psTable;
}

const linuxTable: ProcessTable = {
  list: () => Promise.resolve(pids("/proc").flatMap((pid) => readStat(pid) ?? [])),
  marked: (candidates, marker) =>
    Promise.resolve(
      new Set(candidates.filter((pid) => readEnvironment(pid).includes(`${markerVariable}=${marker}\0`))),
    ),
  namespaceOf(pid) {
    try {
      return readlinkSync(`/proc/${String(pid)}/ns/pid`);
    } catch {
      return undefined; // gone, a zombie, or another user's
    }
  },
  inside(init) {
    const proc = `/proc/${String(init)}/root/proc`;
    try {
      return pids(proc).flatMap((pid) => readStat(pid, proc) ?? []);
    } catch {
      return undefined; // gone, or not ours to look into
    }
  },
};

function pids(proc: string): readonly number[] {
  return readdirSync(proc).flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
}

/** One process from /proc; undefined: there is none. */
export function readStat(pid: number, proc = "/proc"): ProcessEntry | undefined {
  let text: string;
  try {
    text = readFileSync(`${proc}/${String(pid)}/stat`, "utf8");
  } catch {
    return undefined; // it ended
  }
  // The name in parentheses may hold spaces and parentheses itself; the fields after the last one are fixed.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state = "", ppid = "", pgid = "", sid = ""] = fields;
  return {
    pid,
    ppid: Number(ppid),
    pgid: Number(pgid),
    sid: Number(sid),
    startTime: fields[19] ?? "",
    zombie: state === "Z" || state === "X",
  };
}

function readEnvironment(pid: number): string {
  try {
    return readFileSync(`/proc/${String(pid)}/environ`, "latin1");
  } catch {
    return ""; // gone, or another user's: then it is none of ours
  }
}

const run = promisify(execFile);
const psLine = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(.*\S)\s*$/;

/** For macOS and the rest: slower, one `ps` a look. */
export const psTable: ProcessTable = {
  async list() {
    const { stdout } = await run("ps", ["-A", "-o", "pid=,ppid=,pgid=,stat=,lstart="], {
      env: psEnvironment(),
      maxBuffer: 64_000_000,
    });
    return stdout.split("\n").flatMap((line) => {
      const [, pid, ppid, pgid, state = "", start = ""] = psLine.exec(line) ?? [];
      if (pid === undefined) return [];
      const group = Number(pgid);
      const startTime = start.split(/\s+/).join(" ");
      return [
        { pid: Number(pid), ppid: Number(ppid), pgid: group, sid: group, startTime, zombie: state.startsWith("Z") },
      ];
    });
  },
  async marked(candidates, marker) {
    if (candidates.length === 0) return new Set();
    const environment = process.platform === "darwin" ? ["-A", "-E", "-ww"] : ["axeww"];
    const { stdout } = await run("ps", [...environment, "-o", "pid=,command="], {
      env: psEnvironment(),
      maxBuffer: 256_000_000,
    });
    const wanted = new Set(candidates);
    const found = stdout.split("\n").flatMap((line) => {
      const pid = Number.parseInt(line, 10);
      return wanted.has(pid) && line.includes(`${markerVariable}=${marker}`) ? [pid] : [];
    });
    return new Set(found);
  },
  namespaceOf: () => undefined,
  inside: () => undefined,
};

/** `ps` prints dates in the user's language and time zone; identities must not change with them. */
export function psEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, LC_ALL: "C", TZ: "UTC" };
}
