/** Is the process what the task asked for? Said by the CLI itself at the start of every turn. */
import type { SDKSystemMessage } from "@anthropic-ai/claude-agent-sdk";
import type { TurnSpec } from "../../core/runner-port.ts";

const families = ["opus", "sonnet", "haiku", "fable"];

/** What is not as asked, in a sentence; undefined: all is well. */
export function mismatchOf(
  init: Pick<SDKSystemMessage, "cwd" | "model" | "permissionMode" | "mcp_servers">,
  cwd: string,
  spec: Pick<TurnSpec, "model" | "permissionMode">,
  servers: readonly string[],
): string | undefined {
  if (init.cwd !== cwd) return `The process works in ${init.cwd}, not in ${cwd}.`;
  if (init.permissionMode !== spec.permissionMode) {
    return `The process has permission mode ${init.permissionMode}; the task asked for ${spec.permissionMode}.`;
  }
  if (spec.model !== undefined && !sameModel(spec.model, init.model)) {
    return `The process answers with model ${init.model}; the task asked for ${spec.model}.`;
  }
  for (const name of servers) {
    const server = init.mcp_servers.find((one) => one.name === name);
    if (server === undefined) return `Claude does not take the definition of the MCP server ${JSON.stringify(name)}.`;
    if (!usable.has(server.status)) {
      return `The MCP server ${JSON.stringify(name)} is not there for the task: its status is ${server.status}.`;
    }
  }
  return undefined;
}

/** One that is still connecting may yet be there when it is needed. */
const usable: ReadonlySet<string> = new Set(["connected", "pending"]);

/**
 * An alias is resolved by the CLI ("sonnet" to an id of today, or to what the user's environment says), and ids come with
 * and without a date: equal names are enough, and only another family of models is surely another model.
 */
function sameModel(asked: string, given: string): boolean {
  const [a, b] = [plain(asked), plain(given)];
  if (a.includes(b) || b.includes(a)) return true;
  if (a.startsWith("claude-") && b.startsWith("claude-")) return false;
  const wanted = families.find((family) => a.includes(family));
  const found = families.find((family) => b.includes(family));
  return wanted === undefined || found === undefined || wanted === found;
}

function plain(model: string): string {
  return model.toLowerCase().replace(/\[.*\]$/, "");
}
