/** A host that opens a Claude process, begins a task in it, and waits to be killed: `node doomed-host.ts OPTIONS PROMPT RUN_ID`. */
import { claudeRunner, type ClaudeRunnerOptions } from "../../src/runner/claude/claude-runner.ts";
import { launchSpec, turnSpec } from "./rig.ts";

const [, , options = "", cwd = "", prompt = "", runId = ""] = process.argv;
const runner = claudeRunner(JSON.parse(options) as ClaudeRunnerOptions);
const slot = await runner.open(launchSpec(cwd));
const spec = turnSpec(prompt, { runId, allowedTools: ["Bash"] });
process.stdout.write(`${JSON.stringify(slot.identity)}\n`);
await slot.turn(spec, new AbortController().signal, () => undefined);
