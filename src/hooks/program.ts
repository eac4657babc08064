/** The file that is bundled and run (scripts/bundle-hook.ts). */
import { main } from "./main.ts";

void main(); // never rejects (main.ts H1)
