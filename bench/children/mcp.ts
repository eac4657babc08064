/** `claude-pool mcp` from the sources. */
import { main } from "../../src/cli/main.ts";

process.exitCode = await main(["mcp", ...process.argv.slice(2)]);
