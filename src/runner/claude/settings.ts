/** What changes from turn to turn in a running process: model, effort, permission mode and rules. */
import type { EffortLevel, Query } from "@anthropic-ai/claude-agent-sdk";
import type { TurnSpec } from "../../core/runner-port.ts";
import { isFields } from "./messages.ts";

/** What the process would use by itself, as its user's settings and environment say. */
export interface Defaults {
  readonly model?: string;
  readonly effort?: EffortLevel;
}

/**
 * Reads the defaults before the first turn changes them: taking a change back in the CLI leads to Claude Code's own
 * default, not to the user's.
 *
 * `getSettings` is in the SDK but not in its types; an older one has no such request and keeps what it has.
 */
export async function readDefaults(query: Query): Promise<Defaults> {
  const source: unknown = query;
  if (!isFields(source) && typeof source !== "object") return {};
  const ask = (source as { readonly getSettings?: () => Promise<unknown> }).getSettings;
  if (ask === undefined) return {};
  try {
    const answer = await ask.call(query);
    const applied = isFields(answer) && isFields(answer["applied"]) ? answer["applied"] : {};
    return {
      ...(typeof applied["model"] === "string" ? { model: applied["model"] } : {}),
      ...(isEffort(applied["effort"]) ? { effort: applied["effort"] } : {}),
    };
  } catch {
    return {}; // an older CLI: its settings are left as they are until a task asks for another
  }
}

interface Applied {
  readonly model: string | undefined;
  readonly effort: string | undefined;
  readonly flags: string;
}

const appliedTo = new WeakMap<Query, Applied>();

/**
 * Makes the process have exactly what the turn asks for, whatever the turn before had. Rejects with what the CLI refuses.
 *
 * The flag settings are written by nobody else, and writing them costs the CLI a reload: they are sent when they differ.
 * The model goes with them: the newer CLI's `setModel` asks the API whether the model exists, at a price. An older one
 * knows only `setModel`, and asks nobody.
 */
export async function applySettings(
  query: Query,
  spec: TurnSpec,
  process: {
    readonly defaults: Defaults;
    readonly isOld: boolean;
    /** What the process said of itself after it was cleared, if nothing was done in it since. */
    readonly permissionMode: string | undefined;
  },
): Promise<void> {
  const { defaults, isOld } = process;
  const before = appliedTo.get(query);
  const permissions = { allow: [...spec.allowedTools], deny: [...spec.disallowedTools] };
  const model = spec.model ?? (before?.model === undefined ? undefined : (defaults.model ?? null));
  const effort = spec.effort ?? (before?.effort === undefined ? undefined : defaultEffort(spec, defaults));
  const settings = {
    permissions,
    ...(model === undefined ? {} : { model }),
    ...(effort === undefined ? {} : { effortLevel: effort }),
  };
  const flags = JSON.stringify(settings);
  if (flags !== before?.flags) appliedTo.delete(query); // unknown until the CLI has taken them
  const { model: _, ...withoutModel } = settings;
  await Promise.all([
    spec.permissionMode === process.permissionMode ? undefined : query.setPermissionMode(spec.permissionMode),
    flags === before?.flags ? undefined : query.applyFlagSettings(isOld ? withoutModel : settings),
    flags === before?.flags || !isOld || model === undefined ? undefined : query.setModel(model ?? undefined),
  ]);
  appliedTo.set(query, { model: spec.model ?? before?.model, effort: spec.effort ?? before?.effort, flags });
}

/** The default effort was read for the default model; another model has its own. */
function defaultEffort(spec: TurnSpec, defaults: Defaults): EffortLevel | null {
  return spec.model === undefined ? (defaults.effort ?? null) : null;
}

function isEffort(value: unknown): value is EffortLevel {
  return typeof value === "string" && ["low", "medium", "high", "xhigh", "max"].includes(value);
}
