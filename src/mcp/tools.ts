/** Every tool, a family a file; a new family is one line here. */
import { nearest } from "../schema/nearest.ts";
import type { Profile } from "./profile.ts";
import type { Tool } from "./tool.ts";
import { chainTools } from "./tools/chains.ts";
import { contextTools } from "./tools/context.ts";
import { landingTools } from "./tools/landing.ts";
import { logTools } from "./tools/log.ts";
import { messageTools } from "./tools/messages.ts";
import { poolTools } from "./tools/pool.ts";
import { requestTools } from "./tools/requests.ts";
import { reviewTools } from "./tools/reviews.ts";
import { routingTools } from "./tools/routing.ts";
import { skillTools } from "./tools/skills.ts";
import { slotTools } from "./tools/slots.ts";
import { workTools } from "./tools/work.ts";

/** Families by the heading under which docs/mcp.md has them. */
export const families: Readonly<Record<string, readonly Tool[]>> = {
  Work: workTools,
  Reviews: reviewTools,
  Workspaces: landingTools,
  Requests: requestTools,
  Chains: chainTools,
  Routing: routingTools,
  Skills: skillTools,
  "The pool": poolTools,
  Slots: slotTools,
  Messages: messageTools,
  Context: contextTools,
  "The activity log": logTools,
};

/** The tools of a profile, by name. */
export function toolsOf(profile: Profile): ReadonlyMap<string, Tool> {
  const all = Object.values(families).flat();
  return new Map(all.filter((one) => profile === "full" || one.isCore === true).map((one) => [one.name, one]));
}

/** What to say of a tool that is not there. */
export function unknownTool(name: string, known: ReadonlyMap<string, Tool>): string {
  const meant = nearest(name, [...known.keys()]);
  const other = toolsOf("full").has(name) ? " It is in the profile full: start the server with --profile full." : "";
  const hint = other === "" && meant !== undefined ? ` Did you mean ${meant}?` : other;
  return `No tool ${JSON.stringify(name.slice(0, 100))}.${hint}`;
}
