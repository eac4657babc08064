/**
 * A process that writes to a log: argv is the folder, what to do (`write` so many records or without end, `claim`), and what it calls itself.
 * It says `ready` and waits for a line on stdin, so that several begin at the same moment; each record that was acknowledged is a line on stdout.
 */
import { once } from "node:events";
import { writeSync } from "node:fs";
import { appendEntry } from "../../src/activity/append.ts";
import { newEntry, type Author } from "../../src/activity/entry.ts";
import { folderAt } from "../../src/activity/place.ts";
import { writeDraft } from "../../src/activity/write.ts";

const [root = "", what = "write", name = "A", count = "Infinity", maxBytes = "65536"] = process.argv.slice(2);
const folder = folderAt(root);
const author: Author = { instance: name, sessionId: name, project: "demo-0123456789ab", origin: "cli" };
const rotation = {
  maxBytes: Number(maxBytes),
  maxAge: 7 * 86_400,
  agedBytes: 65_536,
  archives: 1_000,
  carriedBytes: Number(maxBytes) / 2,
};

writeSync(1, "ready\n");
await once(process.stdin, "data");
if (what === "claim") {
  const draft = { action: "claimed", topic: name, paths: ["src/**"] };
  const { written } = await writeDraft(folder, draft, author, { waitMs: 2_000 });
  writeSync(1, `${written ? "granted" : "refused"}\n`);
} else {
  for (let index = 0; index < Number(count); index += 1) {
    const entry = newEntry({ topic: `${name} ${String(index)}`, summary: "words ".repeat(index % 90) }, author);
    if (entry === undefined) throw new Error("no entry");
    await appendEntry(folder, entry, { waitMs: 2_000, unlimited: true, repeat: true, rotation });
    // Synchronous, so that a line stands for an acknowledgement however the process ends.
    writeSync(1, `${entry.id}\n`);
  }
}
process.stdin.destroy();
