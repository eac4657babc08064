/** What the user has configured of the log: one file beside it, never one of the repository. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TtlProfile } from "./entry.ts";
import type { Environment, LogFolder } from "./place.ts";
import type { Domain } from "./relevance.ts";

/** What happens before an edit of a path that another terminal holds. */
export type OnClaimedEdit = "note" | "ask" | "deny";

export interface LogSettings {
  /** What a label's terminal works on. */
  readonly domains: Readonly<Record<string, Domain>>;
  /** How long entries are shown. */
  readonly profile: TtlProfile;
  readonly onClaimedEdit: OnClaimedEdit;
  /** Are subagents told of the claims that stand? */
  readonly subagentStart: boolean;
  /** Does an answer without a block become an entry where its ending is plain? */
  readonly automatic: boolean;
}

/** The settings, and what of the file could not be used. */
export interface ReadSettings {
  readonly settings: LogSettings;
  readonly remarks: readonly string[];
}

/** `config.json` in the log's folder; what is wrong in it counts as not set. */
export function readLogSettings(folder: LogFolder): ReadSettings {
  const path = join(folder.root, "config.json");
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return { settings: logSettings({}).settings, remarks: [] }; // none, which is usual
  }
  try {
    return logSettings(JSON.parse(text));
  } catch (error) {
    return { settings: logSettings({}).settings, remarks: [`${path} is not valid JSON: ${String(error)}`] };
  }
}

/** Is automatic mode on? `POOL_AUTO` says so for one terminal, else the setting. */
export function automaticMode({ automatic }: LogSettings, env: Environment): boolean {
  const said = (env.POOL_AUTO ?? "").trim().toLowerCase();
  if (/^(?:1|true|yes|on)$/u.test(said)) return true;
  return said === "" ? automatic : false;
}

/** Settings from what the file holds. */
function logSettings(file: unknown): ReadSettings {
  const remarks: string[] = [];
  const given = isObject(file) ? file : {};
  const known = ["domains", "profile", "on_claimed_edit", "subagent_start", "automatic"];
  for (const name of Object.keys(given).filter((key) => !known.includes(key))) {
    remarks.push(`config.json has an unknown setting ${JSON.stringify(name)}; there are ${known.join(", ")}`);
  }
  const choice = <T extends string>(name: string, choices: readonly [T, ...T[]]): T => {
    const found = choices.find((one) => one === given[name]);
    if (found === undefined && given[name] !== undefined) {
      remarks.push(`config.json: ${name} must be one of ${choices.join(", ")}`);
    }
    return found ?? choices[0];
  };
  const domains = isObject(given.domains) ? Object.entries(given.domains) : [];
  return {
    settings: {
      domains: Object.fromEntries(domains.map(([label, value]) => [label, domainOf(value)])),
      profile: choice("profile", ["documented", "recommended"]),
      onClaimedEdit: choice("on_claimed_edit", ["note", "ask", "deny"]),
      subagentStart: given.subagent_start === true,
      automatic: given.automatic === true,
    },
    remarks,
  };
}

/** A list of keywords, or an object with `keywords`, `weak` and `paths`. */
function domainOf(value: unknown): Domain {
  if (Array.isArray(value)) return { keywords: texts(value), weak: [], paths: [] };
  const { keywords, weak, paths } = isObject(value) ? value : {};
  return { keywords: texts(keywords), weak: texts(weak), paths: texts(paths) };
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string" && item !== "") : [];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
