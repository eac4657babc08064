/** On a disk that is really full: a small file system of its own, where this machine lets one be mounted. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { tempFolder } from "./place-rig.ts";

const alone = ["--map-root-user", "--mount", "sh", "-c"];

function canMount(): boolean {
  try {
    execFileSync("unshare", [...alone, "mount -t tmpfs -o size=1m tmpfs /mnt"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

it.skipIf(!canMount())(
  "a full disk refuses save, removal and reuse; nothing is lost, and with room all of it works",
  () => {
    const folder = tempFolder();
    const script = `
    set -e
    mount -t tmpfs -o size=6m tmpfs "$0"
    mkdir "$0/project" && cd "$0/project"
    git init -q -b main && echo x > a.txt && git add -A
    git -c user.name=N -c user.email=n@x commit -q -m Begin
    "$1" "$2" "$0/project"`;
    const child = join(import.meta.dirname, "..", "fixtures", "workspace", "full-disk.ts");
    const output = execFileSync("unshare", [...alone, script, folder, process.execPath, child], { encoding: "utf8" });
    expect(JSON.parse(output)).toEqual({
      refused: Array.from({ length: 3 }, () => ["workspace_save_failed", true]),
      kept: 2_000_000,
      files: 1,
      branch: "claude-pool/pool-1/task-b",
    });
  },
);
