/**
 * The rooms of src/ and what each may import: the one table behind CONTRIBUTING.md and test/architecture.test.ts.
 *
 * A room may always import itself. Type-only imports count too: a dependency in types is a dependency.
 */
export interface Room {
  readonly holds: string;
  readonly rooms: readonly string[];
  /** May it import Node's builtins (`node:*`)? */
  readonly builtins: boolean;
  readonly packages: readonly string[];
}

export const rooms: Readonly<Record<string, Room>> = {
  core: {
    holds: "words, states, money rules, errors, settings and the ports; pure",
    rooms: [],
    builtins: false,
    packages: [],
  },
  "project.ts": {
    holds: "which project a directory belongs to, and where its store lives",
    rooms: ["sha256.ts"],
    builtins: true,
    packages: [],
  },
  "shell-command.ts": {
    holds: "a shell command with an end: time limit, output, and the end of everything it started",
    rooms: [],
    builtins: true,
    packages: [],
  },
  "make-folder.ts": {
    holds: "folders that only their user can enter",
    rooms: [],
    builtins: true,
    packages: [],
  },
  "sha256.ts": {
    holds: "the hash behind names, without `node:crypto`",
    rooms: [],
    builtins: false,
    packages: [],
  },
  schema: {
    holds: "what comes in from outside, checked: options, files, imports",
    rooms: ["core"],
    builtins: false,
    packages: ["zod", "fastest-levenshtein", "yaml"],
  },
  records: {
    holds: "the tables, every query, group commit, migrations; SQLite",
    rooms: ["core", "make-folder.ts"],
    builtins: true,
    packages: [],
  },
  runner: {
    holds: "Claude processes: open, turn, outcome, cost, end; the Agent SDK is known only here",
    rooms: ["core"],
    builtins: true,
    packages: ["@anthropic-ai/claude-agent-sdk", "@modelcontextprotocol/server"],
  },
  workspace: {
    holds: "git worktrees and clones, saved refs, checks, diffs and merges",
    rooms: ["core", "shell-command.ts"],
    builtins: true,
    packages: ["execa"],
  },
  skills: {
    holds: "finding, reading and writing SKILL.md and workflow files; the commands inside skills",
    rooms: ["core", "schema", "shell-command.ts"],
    builtins: true,
    packages: ["yaml"],
  },
  activity: {
    holds: "the shared activity log: entries, claims, append, read, rank, render; no package and nothing of the pool",
    rooms: ["project.ts", "sha256.ts", "make-folder.ts"],
    builtins: true,
    packages: [],
  },
  webhooks: {
    holds: "delivering webhooks: signatures, retries, and the addresses that are refused",
    rooms: ["core"],
    builtins: true,
    packages: [],
  },
  telemetry: {
    holds: "runs as OpenTelemetry spans and metrics; the SDK for `serve` and `mcp`, where one is asked for",
    rooms: ["core"],
    builtins: false,
    packages: ["@opentelemetry"],
  },
  engine: {
    holds: "dispatcher, execution, recovery, drain; sees the world through core's ports",
    rooms: ["core"],
    builtins: false,
    packages: [],
  },
  "pool.ts": {
    holds:
      "`Pool`, which users hold, `openPool`, which joins the parts, and every other file that stands in src/ itself",
    rooms: [
      "core",
      "project.ts",
      "make-folder.ts",
      "schema",
      "records",
      "runner",
      "workspace",
      "skills",
      "activity",
      "engine",
      "webhooks",
      "telemetry",
    ],
    builtins: true,
    packages: [],
  },
  hooks: {
    holds: "`claude-pool-hook`, the program behind Claude Code's hooks; bundled into one file",
    rooms: ["activity"],
    builtins: true,
    packages: [],
  },
  testing: {
    holds: "scripted Messages API, scripted runner, manual clock; shipped as `claude-pool/testing`",
    rooms: ["core"],
    builtins: true,
    packages: [],
  },
  server: {
    holds: "HTTP: REST, streams of events, metrics, who may ask and how much",
    rooms: ["core", "schema", "pool.ts"],
    builtins: true,
    packages: ["hono", "@hono/node-server", "prom-client", "zod"],
  },
  mcp: {
    holds: "the pool as an MCP server: tools, a family a file; resources, prompts; over stdio and over HTTP",
    rooms: ["core", "schema", "pool.ts"],
    builtins: true,
    packages: ["@modelcontextprotocol/server", "zod"],
  },
  cli: {
    holds: "the program: one file a command; `testing` is for `demo` only",
    rooms: ["core", "project.ts", "schema", "activity", "pool.ts", "testing", "server", "mcp", "telemetry"],
    builtins: true,
    packages: ["commander", "fastest-levenshtein"],
  },
  "index.ts": {
    holds: "the public names, grouped",
    rooms: ["core", "schema", "activity", "pool.ts"],
    builtins: false,
    packages: [],
  },
};

/** The table as CONTRIBUTING.md shows it. */
export function roomTable(): string {
  const rows = Object.entries(rooms).map(([name, room]) => {
    const imports = [...room.rooms, ...(room.builtins ? ["`node:*`"] : []), ...room.packages.map((p) => `\`${p}\``)];
    return `| \`${name}\` | ${room.holds} | ${imports.length === 0 ? "nothing" : imports.join(", ")} |`;
  });
  return ["| room | holds | may import |", "|---|---|---|", ...rows].join("\n");
}
