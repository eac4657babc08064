/** What the figures were measured on. */
import { execFileSync } from "node:child_process";
import { cpus, release, totalmem, type } from "node:os";
import { promisify } from "node:util";
import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { executable } from "./ground/bare.ts";

/** One sentence: processor, memory, system, file system of the stores, and versions. */
export async function machine(): Promise<string> {
  const [cpu] = cpus();
  const { stdout } = await promisify(execFile)(executable, ["--version"]);
  return [
    `${String(cpus().length)} × ${cpu?.model.trim() ?? "unknown processor"}`,
    `${String(Math.round(totalmem() / 1e9))} GB`,
    `${type()} ${release()}`,
    `store on ${fileSystem()}`,
    `Node ${process.versions.node}`,
    `SQLite ${process.versions.sqlite ?? "unknown"}`,
    `Claude CLI ${stdout.trim().split(" ")[0] ?? "unknown"}`,
    new Date().toISOString().slice(0, 10),
  ].join(", ");
}

function fileSystem(): string {
  try {
    return (
      execFileSync("df", ["--output=fstype", tmpdir()], { encoding: "utf8", stdio: "pipe" }).trim().split("\n")[1] ??
      "unknown"
    );
  } catch {
    return "an unknown file system"; // this `df` does not tell
  }
}
