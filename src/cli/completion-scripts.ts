/** Completion scripts: static tables of words, so that completing starts no program. */

export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

/** What may follow a path of commands. */
export interface CommandWords {
  readonly path: readonly string[];
  readonly commands: readonly { readonly name: string; readonly summary: string }[];
  readonly flags: readonly string[];
}

export function completionScript(shell: Shell, table: readonly CommandWords[]): string {
  if (shell === "fish") return fish(table);
  const script = bash(table);
  return shell === "bash" ? script : `#compdef claude-pool\nautoload -U +X bashcompinit && bashcompinit\n${script}`;
}

function bash(table: readonly CommandWords[]): string {
  const cases = table.map(({ path, commands, flags }) => {
    const following = [...commands.map(({ name }) => name), ...flags].join(" ");
    return `    "${path.join(" ")}") words="${following}" ;;`;
  });
  const paths = table.map(({ path }) => `"${path.join(" ")}"`).join(" | ");
  return `_claude_pool() {
  local path="" word next i words=""
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    next="\${path:+$path }$word"
    case "$next" in
      ${paths}) path="$next" ;;
    esac
  done
  case "$path" in
${cases.join("\n")}
  esac
  COMPREPLY=()
  while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}")
}
complete -o default -F _claude_pool claude-pool
`;
}

function fish(table: readonly CommandWords[]): string {
  const lines = table.flatMap(({ path, commands, flags }) => {
    const inner = commands.map(({ name }) => name).join(" ");
    const seen = path.map((word) => `__fish_seen_subcommand_from ${word}`);
    const condition = [...seen, ...(inner === "" ? [] : [`not __fish_seen_subcommand_from ${inner}`])].join("; and ");
    const where = condition === "" ? "" : ` -n ${quoted(condition)}`;
    return [
      ...commands.map(({ name, summary }) => `complete -c claude-pool${where} -a ${name} -d ${quoted(summary)}`),
      ...flags.map((flag) =>
        flag.startsWith("--")
          ? `complete -c claude-pool${where} -l ${flag.slice(2)}`
          : `complete -c claude-pool${where} -s ${flag.slice(1)}`,
      ),
    ];
  });
  return `${lines.join("\n")}\n`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
