/** What workers may do where neither their slot nor their task says otherwise. */
import type { PoolConfig } from "../core/config.ts";
import type { PermissionMode } from "../core/task.ts";

export function defaultMode({ permissionMode, unattendedMode }: PoolConfig): PermissionMode {
  return permissionMode ?? (unattendedMode ? "dontAsk" : "plan");
}
