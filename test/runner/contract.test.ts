import { gate, scriptedRunner, text } from "../../src/testing/index.ts";
import { testRunner } from "../contract/runner.ts";
import { launchSpec, startRig } from "./rig.ts";

testRunner("the real CLI", async () => {
  const rig = await startRig();
  return {
    runner: rig.runner,
    launch: launchSpec(rig.cwd),
    answer: (prompt, output) => rig.api.on(prompt, text(output)),
    hang: (prompt) => {
      const held = gate();
      rig.api.on(prompt, held);
      return held.reached;
    },
    [Symbol.asyncDispose]: () => rig[Symbol.asyncDispose](),
  };
});

testRunner("the scripted runner", () => {
  const runner = scriptedRunner();
  return Promise.resolve({
    runner,
    launch: launchSpec("/"),
    answer: (prompt, output) => runner.on(prompt, output),
    hang: (prompt) => {
      runner.on(prompt, () => new Promise(() => undefined));
      return runner.waitForTurn(prompt);
    },
    [Symbol.asyncDispose]: () => runner.close(),
  });
});
