import { Command } from "commander";
import { PoolError } from "../../core/errors.ts";
import { examples, type Call } from "../call.ts";
import { checks, type Finding, type Patient } from "../doctor/checks.ts";
import type { CommonFlags } from "../flags.ts";

/** `doctor`: what is wrong with the ground, and what to do about it. */
export function doctorCommand(call: Call): Command {
  const command = new Command("doctor")
    .summary("check what the pool stands on")
    .description(
      "Checks Node, SQLite, the Claude program and its login (no secret is read), the store, leftover processes and worktrees.\n" +
        "Exit 1 if something is broken.",
    )
    .addHelpText("after", examples("claude-pool doctor", "claude-pool doctor --json"));
  return call.carryOut<CommonFlags>(command, async (flags) => {
    const settings = findSettings(call, flags);
    const patient: Patient = {
      directory: call.directory(flags),
      store: call.storeOf(settings.chosen, flags),
      settings: settings.chosen,
      env: call.io.env,
    };
    const findings: Finding[] = [settings.finding];
    for (const check of Object.values(checks)) findings.push(await check(patient));
    if (call.json) for (const finding of findings) await call.out.record(finding);
    else for (const finding of findings) await show(call, finding);
    return findings.some((finding) => finding.state === "broken") ? 1 : 0;
  });
}

/** A bad settings file is a finding; the other checks go on with what the flags say. */
function findSettings(
  call: Call,
  flags: CommonFlags,
): { readonly finding: Finding; readonly chosen: ReturnType<Call["settings"]>["chosen"] } {
  try {
    const { chosen, all } = call.settings(flags);
    const sources = new Set(Object.values(all).map(({ source }) => source));
    const found = [...sources].filter((source) => source !== "default").join(", ") || "defaults only";
    return { chosen, finding: { check: "settings", state: "ok", found } };
  } catch (error) {
    if (!(error instanceof PoolError) || error.code === "cwd_not_found") throw error;
    const remedy = error.code === "untrusted_config" ? "Read the file; then `claude-pool trust`." : "Mend the file.";
    const chosen = flags.store === undefined ? {} : { store: flags.store };
    return { chosen, finding: { check: "settings", state: "broken", found: error.message, remedy } };
  }
}

async function show(call: Call, { check, state, found, remedy }: Finding): Promise<void> {
  const { colour } = call.out;
  const mark = { ok: colour.green("ok     "), warning: colour.yellow("warning"), broken: colour.red("broken ") }[state];
  await call.out.line(`${mark}  ${check.padEnd(10)}  ${found}`);
  if (remedy !== undefined) await call.out.line(`${" ".repeat(21)}→ ${remedy}`);
}
