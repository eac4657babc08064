/** A host with the real CLI that is about to be killed. */
import { openPool } from "../../../src/index.ts";

export interface RealHostOrder {
  readonly store: string;
  readonly cwd: string;
  readonly slots: number;
  readonly processNamespace: "auto" | "off";
}

process.once("disconnect", () => process.exit(1));
const order = JSON.parse(process.argv[2] ?? "") as RealHostOrder;
const pool = await openPool({ ...order, permissionMode: "dontAsk", allowedTools: ["Bash"] });
process.send?.("ready");
process.once("message", () => void pool.close().then(() => process.disconnect()));
