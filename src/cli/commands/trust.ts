import { Command } from "commander";
import { examples, type Call } from "../call.ts";
import type { CommonFlags } from "../flags.ts";
import { homesOf, openSkills } from "../../open-skills.ts";
import { projectFilePath, type SettingsFile } from "../settings/files.ts";
import { projectFile } from "../settings/layers.ts";
import { distrust, restricted, trust, trustEntry } from "../settings/trust.ts";
import { oneLine } from "../terminal/table.ts";

type Flags = CommonFlags & { readonly revoke?: boolean };

/** `trust`: lets the project's file set what could run programs or loosen protection. */
export function trustCommand(call: Call): Command {
  const command = new Command("trust")
    .summary("trust the project's claude-pool.json, skills and workflows")
    .description(
      "Lets the project's claude-pool.json, skills and workflows set what only a trusted project may set (the executable, environment,\n" +
        "MCP servers, tools allowed without asking, bypass, store, commands inside skills). It holds for these files as they are now: a\n" +
        "change asks again.",
    )
    .option("--revoke", "take the trust back")
    .addHelpText("after", examples("claude-pool trust", "claude-pool trust --revoke"));
  return call.carryOut<Flags>(command, async (flags) => {
    const directory = call.directory(flags);
    const files = await openSkills(directory, homesOf(call.io.env)).restricted();
    if (flags.revoke === true) {
      revoke(call, directory, files);
      return;
    }
    const file = projectFile(directory, call.io.env);
    if (file === undefined && files.length === 0) {
      call.out.say(
        "This project has no claude-pool.json, and no skill or workflow that needs trust: there is nothing to trust.",
      );
      return;
    }
    if (file !== undefined) await trustSettings(call, file);
    for (const { path, fingerprint, needs } of files) {
      trustEntry(path, fingerprint, call.io.env);
      if (call.json) {
        await call.out.line(JSON.stringify({ file: path, needs }));
        continue;
      }
      call.out.say(`${path} is trusted. It has:`);
      for (const need of needs) await call.out.line(oneLine(need, 1_000));
    }
  });
}

async function trustSettings(call: Call, file: SettingsFile): Promise<void> {
  const settings = restricted(file.settings);
  trust(file, call.io.env);
  if (call.json) return call.out.line(JSON.stringify({ file: file.path, settings }));
  const names = Object.keys(settings);
  call.out.say(
    names.length === 0 ? `${file.path} sets nothing that needs trust.` : `${file.path} is trusted. It may now set:`,
  );
  for (const name of names) await call.out.line(`${name}: ${JSON.stringify(settings[name])}`);
}

function revoke(call: Call, directory: string, files: readonly { readonly path: string }[]): void {
  const path = projectFilePath(directory, call.io.env);
  const revoked = [...(path === undefined ? [] : [path]), ...files.map((file) => file.path)].filter((one) =>
    distrust(one, call.io.env),
  );
  for (const one of revoked) call.out.say(`${one} is no longer trusted.`);
  if (revoked.length === 0) call.out.say("There was no trust to take back.");
}
