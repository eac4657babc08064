/**
 * The project's claude-pool.json comes with the repository: what could run a program of its choice, or loosen what protects
 * the user, counts only after the user has looked at it.
 *
 * Trust is given to the very settings that were there: a hash of them is kept, so a later change asks again.
 */
import { createHash } from "node:crypto";
import { PoolError } from "../../core/errors.ts";
import type { SlotConfig } from "../../core/task.ts";
import { snakeCase } from "../../core/wire.ts";
import { poolHome } from "../../project.ts";
import { readTrust, writeTrust } from "../../trust-list.ts";
import type { Settings, SettingsFile } from "./files.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The settings of a project's file that need trust, in wire names, with their values. */
export function restricted(settings: Settings): Readonly<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const key of ["claude", "store", "env"] as const) {
    if (settings[key] !== undefined) found[key] = settings[key];
  }
  if (settings.allowBypassPermissions === true) found.allow_bypass_permissions = true;
  if (settings.unattendedMode === true) found.unattended_mode = true;
  if (settings.skillCommands === true) found.skill_commands = true;
  // Commands are programs; and a directory elsewhere would be written into, and removed.
  for (const key of ["worktreeSetup", "worktreeBaseDir"] as const) {
    if (settings[key] !== undefined) found[snakeCase(key)] = settings[key];
  }
  if (settings.strictMcpConfig === false) found.strict_mcp_config = false;
  Object.assign(found, restrictedOfSlot(settings, ""));
  const slots = typeof settings.slots === "object" ? settings.slots : [];
  slots.forEach((slot, index) => Object.assign(found, restrictedOfSlot(slot, `slots[${String(index)}].`)));
  return found;
}

/**
 * Refuses a project's file with such settings unless the user trusts them.
 *
 * @throws {PoolError} `untrusted_config`.
 */
export function refuseUntrusted(file: SettingsFile, env: Environment): void {
  const names = Object.keys(restricted(file.settings));
  if (names.length === 0 || isTrusted(file, env)) return;
  throw new PoolError(
    "untrusted_config",
    `${file.path} sets ${names.join(", ")}, which only a trusted project may set, since it came with the repository. ` +
      `Read the file; then \`claude-pool trust\`, or move the setting to your own file (${poolHome(env)}).`,
    { file: file.path, fields: names },
  );
}

function isTrusted(file: SettingsFile, env: Environment): boolean {
  return readTrust(poolHome(env))[file.path] === fingerprint(file.settings);
}

/** Trusts the file as it is now. */
export function trust(file: SettingsFile, env: Environment): void {
  trustEntry(file.path, fingerprint(file.settings), env);
}

/** Trusts a file by the fingerprint of what was read of it. */
export function trustEntry(path: string, print: string, env: Environment): void {
  writeTrust({ ...readTrust(poolHome(env)), [path]: print }, poolHome(env));
}

/** Takes the trust back; false: there was none. */
export function distrust(path: string, env: Environment): boolean {
  const { [path]: known, ...rest } = readTrust(poolHome(env));
  if (known !== undefined) writeTrust(rest, poolHome(env));
  return known !== undefined;
}

/** What a slot may be told is as dangerous in the list of slots as at the top. */
function restrictedOfSlot(slot: SlotConfig | Settings, at: string): Readonly<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  if (slot.permissionMode === "bypassPermissions") found[`${at}permission_mode`] = slot.permissionMode;
  // A server or a check is a program that is started, and an allowed tool is a question that is no longer asked.
  for (const key of ["mcpServers", "allowedTools", "checks"] as const) {
    const value = slot[key];
    if (value !== undefined && Object.keys(value).length > 0) found[at + snakeCase(key)] = value;
  }
  return found;
}

function fingerprint(settings: Settings): string {
  return createHash("sha256")
    .update(JSON.stringify(restricted(settings)))
    .digest("hex");
}
