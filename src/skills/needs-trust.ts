/** What in a skill or a step could run a program of its choice, or loosen what protects the user. */
import type { TaskOverrides } from "../core/task.ts";

/** In wire names; empty: nothing of it needs trust. */
export function needsTrust(config: TaskOverrides | undefined, commands: readonly string[]): readonly string[] {
  const servers = Object.keys(config?.mcpServers ?? {});
  return [
    ...commands.map((command) => `command ${JSON.stringify(command)}`),
    ...(config?.checks ?? []).map(({ command }) => `check ${JSON.stringify(command)}`),
    ...(config?.permissionMode === "bypassPermissions" ? ["permission_mode bypassPermissions"] : []),
    ...(config?.mayDispatch === true ? ["may_dispatch"] : []),
    // A server is a program that is started, and an allowed tool is a question that is no longer asked.
    ...(servers.length === 0 ? [] : [`mcp_servers ${servers.join(", ")}`]),
    ...((config?.allowedTools ?? []).length === 0 ? [] : [`allowed_tools ${(config?.allowedTools ?? []).join(", ")}`]),
  ];
}
