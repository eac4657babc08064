/** What a process is launched with so that its host can be asked: decisions on tool calls, and the pool's own tools. */
import type { CanUseTool, McpServerConfig, Options, PermissionResult } from "@anthropic-ai/claude-agent-sdk";
import { defined } from "../../core/config.ts";
import type { AskedTool, LaunchSpec } from "../../core/runner-port.ts";
import type { JsonObject } from "../../core/task.ts";
import { workerServerName } from "../../core/worker.ts";
import type { TurnHooks } from "./slot-process.ts";

/**
 * Tools that reach beyond the task that calls them: EnterWorktree moves the process for good, the timers fire in
 * whatever conversation comes next, and messages go to other sessions of the machine.
 */
const leakingTools = [
  "EnterWorktree",
  "ExitWorktree",
  "CronCreate",
  "CronDelete",
  "CronList",
  "ScheduleWakeup",
  "Monitor",
  "SendMessage",
  "ListAgents",
  "RemoteTrigger",
];

/** With a host that answers, the CLI offers tools that are for a person at a terminal. */
const terminalTools = ["AskUserQuestion", "EnterPlanMode", "ExitPlanMode"];

/** Servers, tools and the host's say in them. */
export async function askingOptions(
  launch: LaunchSpec,
  hooks: TurnHooks,
): Promise<Pick<Options, "mcpServers" | "disallowedTools" | "canUseTool">> {
  const { workerTools, asksPermission = false } = launch;
  const given = launch.mcpServers as unknown as Record<string, McpServerConfig>;
  if (workerTools === undefined && !asksPermission) return { mcpServers: given, disallowedTools: leakingTools };
  const ours = workerTools === undefined ? {} : { [workerServerName]: await workerServer(workerTools, hooks) };
  return {
    mcpServers: { ...given, ...ours },
    disallowedTools: [...leakingTools, ...terminalTools],
    canUseTool: asker(hooks, new Set(workerTools?.map(({ name }) => `mcp__${workerServerName}__${name}`))),
  };
}

function asker(hooks: TurnHooks, ours: ReadonlySet<string>): CanUseTool {
  return async (tool, input, options): Promise<PermissionResult> => {
    const { signal, toolUseID, decisionReason, blockedPath } = options;
    // Mode `plan` asks about every MCP tool, those that are allowed by a rule too.
    if (ours.has(tool)) return { behavior: "allow", updatedInput: input };
    const reason = decisionReason ?? (blockedPath === undefined ? undefined : `It reaches ${blockedPath}.`);
    const asked = defined<AskedTool & { toolUseId?: string }>({
      tool,
      input: input as JsonObject,
      reason,
      ...cautionOf(options),
      toolUseId: toolUseID,
    });
    const decision = await hooks.turn?.decide(asked, signal);
    if (decision?.decision === "allow") return { behavior: "allow", updatedInput: input };
    return { behavior: "deny", message: decision?.message ?? "No task is running." };
  };
}

/**
 * What makes a call more than its tool and input say. The SDK hands on more of the CLI's question than its types have:
 * fields that an older CLI lacks are absent.
 */
function cautionOf(options: object): Pick<AskedTool, "isSensitive" | "isOutside"> {
  const { decisionReasonType: type, ...told } = options as Readonly<Record<string, unknown>>;
  const isSensitive =
    type === "safetyCheck" ||
    type === "rule" ||
    type === "classifier" ||
    told["suppressAlwaysAllowRule"] === true ||
    told["requiresUserInteraction"] === true ||
    told["classifierApprovable"] !== undefined ||
    told["matchedAskRule"] !== undefined;
  const isOutside = type === "workingDir" || told["blockedPath"] !== undefined;
  return { ...(isSensitive ? { isSensitive } : {}), ...(isOutside ? { isOutside } : {}) };
}

/** In the host's own process: no process more for each slot. Loaded with the first one that has such tools. */
async function workerServer(tools: NonNullable<LaunchSpec["workerTools"]>, hooks: TurnHooks): Promise<McpServerConfig> {
  const { Server } = await import("@modelcontextprotocol/server");
  const server = new Server({ name: workerServerName, version: "1.0.0" }, { capabilities: { tools: {} } });
  server.setRequestHandler("tools/list", () => ({
    tools: tools.map(({ name, description, inputSchema, readOnly }) => ({
      name,
      description,
      inputSchema: inputSchema as { type: "object" },
      annotations: { readOnlyHint: readOnly },
      _meta: { "anthropic/alwaysLoad": true }, // else the model would have to look for tools that it has not heard of
    })),
  }));
  server.setRequestHandler("tools/call", async ({ params }, { mcpReq }) => {
    const answer = await hooks.turn?.useTool(params.name, params.arguments ?? {}, mcpReq.signal);
    const { text, isError } = answer ?? { text: "No task is running.", isError: true };
    return { content: [{ type: "text" as const, text }], isError };
  });
  // The SDK asks of a server no more than that it can be connected to a transport, which this one can.
  return { type: "sdk", name: workerServerName, instance: server as never };
}
