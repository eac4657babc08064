/** Writes held-back.json anew from the endings: `node test/activity/endings/split.ts`. It may be run again at any time, and gives the same list. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readEndings, splitOf } from "./read.ts";

const file = fileURLToPath(new URL("held-back.json", import.meta.url));
writeFileSync(file, `${JSON.stringify(splitOf(readEndings()), undefined, 2)}\n`);
