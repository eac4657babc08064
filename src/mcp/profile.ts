/** What the program must know of the server before it loads it. */

/** `core`: what every coordinator needs, in few words; `full`: all of it. */
export const profiles = ["core", "full"] as const;
export type Profile = (typeof profiles)[number];

/** After so long a call that waits for work answers with its ids, in milliseconds: many clients give up at 60,000. */
export const defaultAnswerWithinMs = 50_000;
