/** Three tasks edit one repository at the same time: what they changed is looked at, merged, and a conflict goes back to its worker. */
import { openPool } from "claude-pool";
import { text, toolUse, type Reply } from "claude-pool/testing";
import { offline } from "./shared/offline.ts";

await using stage = await offline();
const bash = (command: string): Reply => toolUse("Bash", { command });
stage.api
  .on("conflicts with what main has become", bash("printf 'Buy apples and pears.\\n' > notes.md"), text("Both are in."))
  .on("apples", bash("printf 'Buy apples.\\n' > notes.md"), text("Apples are in."))
  .on("pears", bash("printf 'Buy pears.\\n' > notes.md"), text("Pears are in."))
  .on("licence", bash("echo MIT > LICENSE"), text("There is a licence."));

await using pool = await openPool({
  ...stage.options,
  slots: 3,
  isolation: "worktree",
  permissionMode: "acceptEdits",
  allowedTools: ["Bash"],
  checks: [{ name: "notes are there", command: "test -s notes.md" }],
});

const prompts = ["Put apples into the notes", "Put pears into the notes", "Add a licence"];
const tasks = await Promise.all(prompts.map((prompt) => pool.submitWithReview(prompt)));
await Promise.all(tasks.map((task) => task.outcome()));
for (const task of tasks) {
  const [{ entries, insertions, deletions }, { workspace }] = await Promise.all([
    pool.diff(task.id),
    pool.get(task.id),
  ]);
  const evidence = (workspace?.checks ?? []).map(({ name, passed }) => `${name}: ${passed ? "passed" : "failed"}`);
  const change = `+${String(insertions)} -${String(deletions)}`;
  console.log(entries.map(({ path }) => path).join(), change, evidence.join());
}

const [apples, pears, licence] = tasks;
if (apples === undefined || pears === undefined || licence === undefined) throw new Error("three tasks were submitted");
const { conflicts } = await pool.previewMerge(pears.id, { with: apples.id });
console.log("pears and apples would conflict in", conflicts.join());

for (const task of [licence, apples]) console.log((await pool.approve(task.id, { merge: "auto" })).state);
const sentBack = await pool.approve(pears.id, { merge: "auto" });
console.log(`pears: ${String(sentBack.rejectionCount)} time back to its worker, with the conflict in its files`);
console.log((await pears.outcome()).result?.output);
console.log((await pool.approve(pears.id, { merge: "auto" })).state);

for (const merge of await pool.merges.list()) console.log(merge.state, "into", merge.target);
