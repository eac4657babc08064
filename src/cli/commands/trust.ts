import { Command } from "commander";
import { examples, type Call } from "../call.ts";
import type { CommonFlags } from "../flags.ts";
import { projectFilePath } from "../settings/files.ts";
import { projectFile } from "../settings/layers.ts";
import { distrust, restricted, trust } from "../settings/trust.ts";

type Flags = CommonFlags & { readonly revoke?: boolean };

/** `trust`: lets the project's file set what could run programs or loosen protection. */
export function trustCommand(call: Call): Command {
  const command = new Command("trust")
    .summary("trust the project's claude-pool.json")
    .description(
      "Lets the project's claude-pool.json set what only a trusted project may set (the executable, environment, MCP servers,\n" +
        "tools allowed without asking, bypass, store). It holds for these settings as they are now: a change asks again.",
    )
    .option("--revoke", "take the trust back")
    .addHelpText("after", examples("claude-pool trust", "claude-pool trust --revoke"));
  return call.carryOut<Flags>(command, async (flags) => {
    const directory = call.directory(flags);
    if (flags.revoke === true) {
      const path = projectFilePath(directory, call.io.env);
      const was = path !== undefined && distrust(path, call.io.env);
      call.out.say(was ? `${path} is no longer trusted.` : "There was no trust to take back.");
      return;
    }
    const file = projectFile(directory, call.io.env);
    if (file === undefined) {
      call.out.say("This project has no claude-pool.json: there is nothing to trust.");
      return;
    }
    const settings = restricted(file.settings);
    trust(file, call.io.env);
    if (call.json) return call.out.line(JSON.stringify({ file: file.path, settings }));
    const names = Object.keys(settings);
    call.out.say(
      names.length === 0 ? `${file.path} sets nothing that needs trust.` : `${file.path} is trusted. It may now set:`,
    );
    for (const name of names) await call.out.line(`${name}: ${JSON.stringify(settings[name])}`);
  });
}
