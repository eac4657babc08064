/** What goes wrong in a hook ends in the log's `errors.log`, which is made if it is missing; nothing comes of it for the user's work. */
import { ensureFolder, logProblem } from "../activity/folder.ts";
import type { LogFolder } from "../activity/place.ts";

/** Writes a line into the error log; never throws. */
export function noteProblem(folder: LogFolder, text: string): void {
  try {
    ensureFolder(folder);
  } catch {
    return; // a home that cannot be written, or a folder that is not ours: there is nowhere to say it
  }
  logProblem(folder, text);
}
