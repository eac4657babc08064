/** What stands in a directory is saved while others write there, as a chain's steps side by side do. */
import { join } from "node:path";
import { expect, it } from "vitest";
import { git, rig, write } from "./place-rig.ts";

/** Each stands for another writer: git runs it while it reads `a.read`, before it comes to the files after that. */
const writers = [
  { what: "goes away before it is read", program: "rm -f b.new; cat", left: [] },
  // So a git ends that has the file mapped into memory.
  { what: "is cut short", program: 'mkdir "$SEEN" 2>&- && kill -BUS $PPID; cat', left: ["b.new"] },
  {
    what: "is written anew",
    program: `mkdir "$SEEN" 2>&- && echo "fatal: confused by unstable object source data for 1a2b" >&2 && exit 1; cat`,
    left: ["b.new"],
  },
];

it.each(writers)(
  "a file that $what while all is looked at keeps nothing from being saved",
  async ({ program, left }) => {
    const { prepare, save, checkout, folder } = rig({ files: { ".gitattributes": "*.read filter=writer\n" } });
    const made = await prepare("task-a");
    git(checkout, "config", "filter.writer.clean", program.replace("$SEEN", join(folder, "seen")));
    git(checkout, "config", "filter.writer.required", "true");
    write(made.path, { "a.read": "a\n", "b.new": "half", "c.txt": "c\n" });
    const { saved } = await save("task-a", made);
    const tree = git(checkout, "ls-tree", "--name-only", String(saved?.commit)).split("\n");
    expect(tree).toEqual([".gitattributes", "a.read", ...left, "c.txt"]);
  },
);
