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
    rooms: [],
    builtins: true,
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
    rooms: ["core"],
    builtins: true,
    packages: [],
  },
  runner: {
    holds: "Claude processes: open, turn, outcome, cost, end; the Agent SDK is known only here",
    rooms: ["core"],
    builtins: true,
    packages: ["@anthropic-ai/claude-agent-sdk"],
  },
  skills: {
    holds: "finding, reading and writing SKILL.md and workflow files; the commands inside skills",
    rooms: ["core", "schema"],
    builtins: true,
    packages: ["yaml"],
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
    rooms: ["core", "project.ts", "schema", "records", "runner", "skills", "engine"],
    builtins: true,
    packages: [],
  },
  testing: {
    holds: "scripted Messages API, scripted runner, manual clock; shipped as `claude-pool/testing`",
    rooms: ["core"],
    builtins: true,
    packages: [],
  },
  cli: {
    holds: "the program: one file a command; `testing` is for `demo` only",
    rooms: ["core", "project.ts", "schema", "pool.ts", "testing"],
    builtins: true,
    packages: ["commander", "fastest-levenshtein"],
  },
  "index.ts": {
    holds: "the public names, grouped",
    rooms: ["core", "schema", "pool.ts"],
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
