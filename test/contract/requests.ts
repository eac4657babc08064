/** What every implementation of the `Records` port keeps of requests, of rules and of tasks that workers submit. */
import { describe, expect, it } from "vitest";
import type { NewRequest, PoolRequest } from "../../src/core/permission.ts";
import type { Lease } from "../../src/core/records.ts";
import { submitAll, testHost, type TestHost } from "../records/temp-store.ts";
import { openedRecords, type OpenedRecords, type StartRecords } from "./opened-records.ts";

interface Ground extends OpenedRecords {
  readonly host: TestHost;
}

export function requestsContract(name: string, start: StartRecords): void {
  async function running(tasks: number): Promise<Ground & { readonly leases: readonly Lease[] }> {
    const { records, clock } = await openedRecords(start);
    const host = await testHost(records, tasks);
    await submitAll(records, ...Array.from({ length: tasks }, () => ({})));
    return { records, clock, host, leases: host.leases };
  }
  describe(`Records: ${name}: requests`, () => {
    answers(running);
    ends(running);
    rules(running);
    workers(running);
  });
}

type Running = (tasks: number) => Promise<Ground & { readonly leases: readonly Lease[] }>;

let number = 0;

function ask(lease: Lease | undefined, command: string, more: Partial<NewRequest> = {}): NewRequest {
  if (lease === undefined) throw new Error("nothing runs");
  number += 1;
  return {
    id: `req-${String(number).padStart(10, "0")}`,
    kind: "permission",
    taskId: lease.task.id,
    runId: lease.runId,
    slotId: lease.slotId,
    cwd: "/work",
    tool: "Bash",
    toolInput: { command },
    ...more,
  };
}

function codeOf(error: unknown): string {
  return (error as { readonly code: string }).code;
}

function told(request: PoolRequest | undefined): unknown {
  return [request?.state, request?.answeredBy, request?.message];
}

function answers(running: Running): void {
  it("keeps a request as it was asked, counts it, and tells of it", async () => {
    const { records, clock, leases } = await running(1);
    const asking = ask(leases[0], "ls", { expiresAtMs: clock.now() + 1_000, reason: "it is new" });
    const open = await records.askRequest(asking);
    const [event] = (await records.events(0, 100)).filter(({ type }) => type === "permission.requested");
    expect({
      open,
      listed: await records.requests({ limit: 9 }),
      status: (await records.status()).openRequests,
      waits: (await records.get(asking.taskId))?.waitsFor,
      event: event?.data,
    }).toEqual({
      open: { ...asking, state: "open", askedAtMs: clock.now() },
      listed: [open],
      status: 1,
      waits: "permission",
      event: {
        requestId: asking.id,
        runId: asking.runId,
        tool: "Bash",
        summary: "ls",
        expiresAtMs: asking.expiresAtMs,
      },
    });
  });

  it("is answered once: the second answer is refused and changes nothing", async () => {
    const { records, leases } = await running(1);
    const { id } = await records.askRequest(ask(leases[0], "ls"));
    const first = await records.answerRequest(id, { by: "hand", decision: "deny", message: "no" });
    const second = await records.answerRequest(id, { by: "hand", decision: "allow" }).catch(codeOf);
    const unknown = await records.answerRequest("req-x", { by: "hand", decision: "allow" }).catch(codeOf);
    expect([
      told(first),
      second,
      unknown,
      told(await records.request(id)),
      (await records.status()).openRequests,
    ]).toEqual([["denied", "hand", "no"], "request_over", "request_not_found", ["denied", "hand", "no"], 0]);
  });

  it("of two that answer at the same time one decides", async () => {
    const { records, leases } = await running(1);
    const { id } = await records.askRequest(ask(leases[0], "ls"));
    const both = await Promise.allSettled([
      records.answerRequest(id, { by: "hand", decision: "allow" }),
      records.answerRequest(id, { by: "timeout", decision: "deny" }),
    ]);
    expect([both.map(({ status }) => status), told(await records.request(id))]).toEqual([
      ["fulfilled", "rejected"],
      ["allowed", "hand", undefined],
    ]);
  });

  it("a question is answered in words, and closed when nobody does", async () => {
    const { records, leases } = await running(1);
    const question = { kind: "question", question: "which?" } as const;
    const one = await records.askRequest(ask(leases[0], "", question));
    const two = await records.askRequest(ask(leases[0], "", question));
    const waits = (await records.get(one.taskId))?.waitsFor;
    const answered = await records.answerRequest(one.id, { by: "hand", message: "this" });
    const closed = await records.answerRequest(two.id, { by: "timeout", decision: "deny" });
    const events = (await records.events(0, 100)).flatMap((event) =>
      event.type === "question.answered" ? [event.data.by] : [],
    );
    expect([waits, told(answered), told(closed), events]).toEqual([
      "question",
      ["answered", "hand", "this"],
      ["closed", "timeout", undefined],
      ["hand", "timeout"],
    ]);
  });
}

function ends(running: Running): void {
  it.each(["completed", "failed", "cancelled", "limited", "lost"] as const)(
    "closes what a run that ends as %s has left open, and no other's",
    async (kind) => {
      const { records, host, leases } = await running(2);
      const mine = await records.askRequest(ask(leases[0], "ls"));
      const others = await records.askRequest(ask(leases[1], "ls"));
      await host.finish({ kind }, leases[0]);
      const late = await records.answerRequest(mine.id, { by: "hand", decision: "allow" }).catch(codeOf);
      expect([
        told(await records.request(mine.id)),
        late,
        told(await records.request(others.id)),
        (await records.status()).openRequests,
      ]).toEqual([["closed", "end", undefined], "request_over", ["open", undefined, undefined], 1]);
    },
  );

  it("closes what the runs of a dead host have left open", async () => {
    const { records, host, leases } = await running(2);
    const asked = await Promise.all(leases.map((lease) => records.askRequest(ask(lease, "ls"))));
    await records.recoverRun(leases[0]?.runId ?? "", {}, 0);
    await records.endHost(host.id);
    const states = await Promise.all(asked.map(async ({ id }) => (await records.request(id))?.state));
    expect([states, (await records.status()).openRequests]).toEqual([["closed", "closed"], 0]);
  });

  it("takes nothing from a run that does not hold its task any more", async () => {
    const { records, host, leases } = await running(1);
    const asking = ask(leases[0], "ls");
    await host.finish({ kind: "completed" });
    const { taskId, runId, slotId } = asking;
    expect([
      await records.askRequest(asking).catch(codeOf),
      await records.noteProgress({ taskId, runId, slotId, text: "on it" }).catch(codeOf),
      await records.sendMessage(slotId, ["coordinator"], "hello", runId).catch(codeOf),
      await records
        .submit([{ id: "task-child", spec: { prompt: "p" }, depth: 1, parent: { taskId, runId, maxTasks: 9 } }])
        .catch(codeOf),
      (await records.status()).openRequests,
    ]).toEqual(["run_over", "run_over", "run_over", "run_over", 0]);
  });

  it("goes with its task when that is pruned", async () => {
    const { records, clock, host, leases } = await running(1);
    const { id } = await records.askRequest(ask(leases[0], "ls"));
    await host.finish({ kind: "completed" });
    clock.advance(1_000);
    await records.prune(clock.now());
    expect([await records.request(id), await records.requests({ all: true, limit: 9 })]).toEqual([undefined, []]);
  });
}

function rules(running: Running): void {
  it("answers by a rule without asking, and says in the log which", async () => {
    const { records, leases } = await running(1);
    const rule = await records.addPermissionRule("Bash(npm test:*)", "allow");
    const covered = await records.askRequest(ask(leases[0], "npm test -- a"));
    const other = await records.askRequest(ask(leases[0], "npm test && rm -rf /"));
    const [event] = (await records.events(0, 100)).filter(({ type }) => type === "permission.answered");
    expect([covered.state, covered.ruleId, other.state, event?.data, (await records.status()).openRequests]).toEqual([
      "allowed",
      rule.id,
      "open",
      {
        runId: leases[0]?.runId,
        tool: "Bash",
        decision: "allow",
        by: "rule",
        ruleId: rule.id,
        summary: "npm test -- a",
      },
      1,
    ]);
  });

  it("has a rule that denies go before one that allows, with the rule as the reason", async () => {
    const { records, leases } = await running(1);
    await records.addPermissionRule("Bash", "allow");
    await records.addPermissionRule("Bash(rm:*)", "deny");
    const denied = await records.askRequest(ask(leases[0], "cd / && rm -rf ."));
    const allowed = await records.askRequest(ask(leases[0], "ls"));
    expect([told(denied), allowed.state]).toEqual([
      ["denied", "rule", "A rule of this pool denies it: Bash(rm:*)"],
      "allowed",
    ]);
  });

  it("answers what else is open by the rule that comes with an answer", async () => {
    const { records, leases } = await running(3);
    const [one, two, three] = await Promise.all(
      ["npm test", "npm test x", "rm x"].map((command, index) => records.askRequest(ask(leases[index], command))),
    );
    const answer = { by: "hand", decision: "allow", rule: "Bash(npm test:*)" } as const;
    const first = await records.answerRequest(one?.id ?? "", answer);
    const [rule] = await records.permissionRules();
    const others = await Promise.all([two, three].map((request) => records.request(request?.id ?? "")));
    expect([
      first.ruleId === rule?.id,
      rule?.requestId === one?.id,
      others.map((request) => [request?.state, request?.answeredBy]),
      (await records.status()).openRequests,
    ]).toEqual([
      true,
      true,
      [
        ["allowed", "rule"],
        ["open", undefined],
      ],
      1,
    ]);
  });

  it("asks again once a rule is revoked, by its id or its text, and keeps no rule twice", async () => {
    const { records, leases } = await running(1);
    const rule = await records.addPermissionRule("Bash", "allow");
    const again = await records.addPermissionRule(" Bash ", "allow");
    const gone = await records.revokePermissionRule("Bash");
    const unknown = await records.revokePermissionRule(rule.id).catch(codeOf);
    const asked = await records.askRequest(ask(leases[0], "ls"));
    const types = (await records.events(0, 100)).map(({ type }) => type).filter((type) => type.includes("rule_"));
    expect([again, gone, unknown, asked.state, await records.permissionRules(), types]).toEqual([
      rule,
      [rule],
      "rule_not_found",
      "open",
      [],
      ["permission.rule_added", "permission.rule_revoked"],
    ]);
  });
}

function workers(running: Running): void {
  it("keeps who submitted a task, and how deep it is", async () => {
    const { records, leases } = await running(1);
    const [lease] = leases;
    const parent = { taskId: lease?.task.id ?? "", runId: lease?.runId ?? "", maxTasks: 1 };
    const child = { id: "task-child0000000", spec: { prompt: "p" }, depth: 1, parent };
    const [submitted] = await records.submit([child]);
    const more = await records.submit([{ ...child, id: "task-child0000001" }]).catch(codeOf);
    const stored = await records.get(child.id);
    expect([submitted?.record.depth, stored?.depth, stored?.parentTaskId, more]).toEqual([
      1,
      1,
      parent.taskId,
      "depth_exceeded",
    ]);
  });
}
