/** Writes to an activity log, claims and releases, until it is killed. What was acknowledged is a line of a file of its own. */
import { appendFileSync } from "node:fs";
import { appendEntry } from "../../../src/activity/append.ts";
import { newEntry, sidOf, type Author } from "../../../src/activity/entry.ts";
import { ensureFolder } from "../../../src/activity/folder.ts";
import { ownMark } from "../../../src/activity/living.ts";
import { folderAt } from "../../../src/activity/place.ts";
import { writeSession } from "../../../src/activity/sessions.ts";
import { releaseClaims, writeDraft } from "../../../src/activity/write.ts";
import { random } from "../random.ts";

export interface LogWriterOrder {
  readonly root: string;
  readonly name: string;
  readonly seed: number;
  readonly acknowledgements: string;
  readonly maxBytes: number;
}

process.once("disconnect", () => process.exit(0));

const order = JSON.parse(process.argv[2] ?? "") as LogWriterOrder;
const { name, acknowledgements, maxBytes } = order;
const folder = folderAt(order.root);
const author: Author = { instance: name, sessionId: name, project: "faults-0123456789ab", origin: "cli" };
const rotation = { maxBytes, maxAge: 604_800, agedBytes: maxBytes, archives: 1_000_000, carriedBytes: maxBytes / 2 };
const options = { waitMs: 300, unlimited: true, repeat: true, rotation };
const chance = random(order.seed);

ensureFolder(folder);
// Last seen long ago, so that its claims end with its process.
writeSession(folder, { sid: sidOf(name), label: name, process: ownMark(), startedAt: 0, seenAt: 0 });
process.send?.("ready");

for (let index = 0; ; index += 1) {
  if (chance.chance(0.1)) await claim(`area-${String(chance.below(4))}`);
  else await write(index);
}

async function write(index: number): Promise<void> {
  const draft = { topic: `${name} ${String(index)}`, summary: "words ".repeat(chance.below(90)) };
  const entry = newEntry(draft, author);
  if (entry === undefined) throw new Error("no entry");
  const { locked } = await appendEntry(folder, entry, options);
  appendFileSync(acknowledgements, `${locked ? "written" : "unlocked"} ${entry.id}\n`);
}

async function claim(area: string): Promise<void> {
  const { written, entry } = await writeDraft(
    folder,
    { action: "claimed", topic: area, paths: [area] },
    author,
    options,
  );
  if (!written || entry === undefined) return;
  appendFileSync(acknowledgements, `granted ${entry.id}\n`);
  await releaseClaims(folder, author, () => true, options);
}
