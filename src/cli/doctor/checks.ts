/** What `doctor` looks at; each check says what it found and, if that is no good, what to do. */
import { accessSync, constants, existsSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { PoolError } from "../../core/errors.ts";
import {
  claudeProgram,
  hasProcessNamespaces,
  isHostAlive,
  leftoverProcesses,
  sqliteVersion,
  storeDamage,
} from "../../ground.ts";
import { openPool } from "../../open-pool.ts";
import { checkGit, checkLocks, checkWorktrees } from "./repository.ts";
import type { Settings } from "../settings/files.ts";

export interface Finding {
  readonly check: string;
  /** `warning`: it works, with less than could be; `broken`: something will not work. */
  readonly state: "ok" | "warning" | "broken";
  readonly found: string;
  readonly remedy?: string;
}

/** What the checks need to know of the call. */
export interface Patient {
  readonly directory: string;
  readonly store: string;
  readonly settings: Settings;
  readonly env: Readonly<Record<string, string | undefined>>;
}

type Check = (patient: Patient) => Finding | Promise<Finding>;

/** In the order in which one thing stands on the other. */
export const checks: Readonly<Record<string, Check>> = {
  node: () => ({ check: "node", state: "ok", found: `${process.version} at ${process.execPath}` }),
  sqlite: checkSqlite,
  claude: checkClaude,
  login: checkLogin,
  namespace: checkNamespace,
  store: checkStore,
  hosts: checkHosts,
  processes: checkProcesses,
  git: checkGit,
  locks: checkLocks,
  worktrees: checkWorktrees,
};

function checkSqlite(): Finding {
  const found = sqliteVersion();
  const [major = 0, minor = 0, patch = 0] = found.split(".").map(Number);
  const isNew = major * 1e6 + minor * 1e3 + patch >= 3_051_003;
  if (isNew) return { check: "sqlite", state: "ok", found };
  const remedy =
    "Use Node 22.22.3 or newer, or 24.15 or newer: an older SQLite can lose data when two processes write.";
  return { check: "sqlite", state: "broken", found, remedy };
}

async function checkClaude({ settings, env }: Patient): Promise<Finding> {
  try {
    const { path, version } = await claudeProgram(settings.claude, env);
    if (version !== undefined) return { check: "claude", state: "ok", found: `${version} at ${path}` };
    const remedy = `Run ${path} --version by hand, and reinstall it or set CLAUDE_POOL_CLAUDE to another.`;
    return { check: "claude", state: "broken", found: `${path} does not tell its version`, remedy };
  } catch (error) {
    if (!(error instanceof PoolError)) throw error;
    const remedy =
      "Reinstall claude-pool with its optional dependencies, or set CLAUDE_POOL_CLAUDE to a Claude program.";
    return { check: "claude", state: "broken", found: error.message, remedy };
  }
}

const loginVariables = [
  "ANTHROPIC_API_KEY",
  "ANTHROPIC_AUTH_TOKEN",
  "CLAUDE_CODE_OAUTH_TOKEN",
  "CLAUDE_CODE_USE_BEDROCK",
  "CLAUDE_CODE_USE_VERTEX",
] as const;

/** Only whether something is there: no secret is read. */
function checkLogin({ settings, env }: Patient): Finding {
  const all = { ...env, ...settings.env };
  const variable = loginVariables.find((name) => (all[name] ?? "") !== "");
  if (variable !== undefined) return { check: "login", state: "ok", found: `${variable} is set` };
  const folder = all.CLAUDE_CONFIG_DIR ?? join(all.HOME ?? homedir(), ".claude");
  const file = join(folder, ".credentials.json");
  if (existsSync(file)) return { check: "login", state: "ok", found: `${file} exists` };
  const remedy =
    "Log in with the Claude program (`claude auth login`), or set ANTHROPIC_API_KEY. The demo needs no login.";
  const found =
    process.platform === "darwin"
      ? "no key in the environment; the keychain is not looked into"
      : "neither a key nor a login";
  return { check: "login", state: "warning", found, remedy };
}

async function checkNamespace({ settings }: Patient): Promise<Finding> {
  const check = "namespace";
  const choice = settings.processNamespace ?? "auto";
  if (choice === "off") {
    const remedy = "Remove process_namespace from the settings to have the whole promise.";
    return { check, state: "warning", found: `switched off. ${weaker}`, remedy };
  }
  if (await hasProcessNamespaces()) return { check, state: "ok", found: "each Claude process gets one of its own" };
  const remedy =
    "Allow `unshare` of pid namespaces (as root, or with unprivileged user namespaces) to have the whole promise.";
  return { check, state: choice === "require" ? "broken" : "warning", found: `not possible here. ${weaker}`, remedy };
}

const weaker =
  "Processes are found by a marker in their environment instead: one that clears its environment and leaves its session can outlive a cancel";

function checkStore({ store }: Patient): Finding {
  const check = "store";
  if (store === ":memory:")
    return { check, state: "warning", found: "in memory: gone with the process", remedy: "Name a file." };
  if (!existsSync(store)) {
    return canWrite(nearestExisting(store))
      ? { check, state: "ok", found: `${store} (made at the first use)` }
      : {
          check,
          state: "broken",
          found: `${store} cannot be made`,
          remedy: `Make ${dirname(store)} writable, or name another with --store.`,
        };
  }
  const damage = storeDamage(store);
  if (damage !== undefined) {
    const remedy = "Keep a copy of the file, and name another with --store; the pool changes nothing in this one.";
    return { check, state: "broken", found: `${store}: ${damage}`, remedy };
  }
  if (canWrite(store) && canWrite(dirname(store))) return { check, state: "ok", found: `${store}, sound` };
  return {
    check,
    state: "broken",
    found: `${store} cannot be written`,
    remedy: "Mend its permissions and those of its folder.",
  };
}

async function checkHosts({ store, directory }: Patient): Promise<Finding> {
  const check = "hosts";
  if (store === ":memory:" || !existsSync(store)) return { check, state: "ok", found: "none" };
  try {
    await using pool = await openPool({ slots: 0, store, cwd: directory });
    const hosts = await pool.hosts();
    const alive = hosts.filter(isHostAlive);
    const names = alive.map(
      (host) => `${host.id} (${host.kind}, pid ${String(host.pid)}, ${String(host.targetSlots)} slots)`,
    );
    const dead = hosts.length - alive.length;
    if (dead === 0) return { check, state: "ok", found: names.join(", ") || "none" };
    const remedy = "The next `claude-pool serve` or `run` takes its tasks over.";
    return { check, state: "warning", found: [...names, `${String(dead)} that died`].join(", "), remedy };
  } catch (error) {
    if (!(error instanceof PoolError)) throw error;
    return { check, state: "broken", found: error.message, remedy: "See the line about the store." };
  }
}

async function checkProcesses(): Promise<Finding> {
  const check = "processes";
  const left = await leftoverProcesses();
  if (left === undefined)
    return { check, state: "ok", found: "not looked for: this system does not show environments" };
  if (left.length === 0) return { check, state: "ok", found: "none left over" };
  const pids = left.map(({ pid }) => String(pid));
  const remedy = `The next \`claude-pool serve\` of their project ends them; or by hand: kill ${pids.join(" ")}`;
  return { check, state: "warning", found: `left over from hosts that died: ${pids.join(", ")}`, remedy };
}

function nearestExisting(path: string): string {
  for (let here = dirname(path); ; here = dirname(here)) {
    if (existsSync(here) || here === dirname(here)) return here;
  }
}

function canWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false; // the check says so
  }
}
