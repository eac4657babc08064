import { statSync } from "node:fs";

/** Is there a directory? What has a name that no file can have, or stands where nobody may look, is none that could be worked in. */
export function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
