import { Command } from "commander";
import { webhookEvents, type WebhookRecord } from "../../core/webhook.ts";
import { parseWebhook } from "../../schema/webhook.ts";
import { examples, type Call } from "../call.ts";
import { collected } from "../collected.ts";
import type { CommonFlags } from "../flags.ts";
import { table } from "../terminal/table.ts";

type AddFlags = CommonFlags & { readonly event?: readonly string[]; readonly allowPrivate?: boolean };

/** `webhook`: addresses that are told when something is over. */
export function webhookCommand(call: Call): Command {
  return new Command("webhook")
    .summary("addresses that are told when something is over")
    .description(
      "An address gets a signed POST when a task, a chain or a drain is over, again and again until it takes it.\n" +
        "One `serve` or `mcp` process of the pool delivers; without one, deliveries wait.",
    )
    .addCommand(addCommand(call))
    .addCommand(listCommand(call), { isDefault: true })
    .addCommand(removeCommand(call))
    .addCommand(testCommand(call))
    .addHelpText(
      "after",
      examples(
        "claude-pool webhook add https://ci.example/pool --event task_failed --event chain_failed",
        "claude-pool webhook add http://127.0.0.1:9000/hook --allow-private",
        "claude-pool webhook test wh_0123456789abcdef01",
      ),
    );
}

function addCommand(call: Call): Command {
  const command = new Command("add")
    .description("Add an address and print its id and its secret, which is shown this once.")
    .argument("<url>", "https://… or http://…")
    .option(
      "--event <name>",
      `of what it is told, default all; may be given again: ${webhookEvents.join(", ")}`,
      collected,
    )
    .option("--allow-private", "the address may be a loopback or private one");
  return call.carryOut<AddFlags>(command, (flags, [url]) =>
    call.look(flags, async (pool) => {
      const spec = parseWebhook({ url, events: flags.event, allowPrivate: flags.allowPrivate });
      const added = await pool.webhooks.add(spec);
      if (call.json) await call.out.record(added);
      else await call.out.line(`${added.id} ${added.secret}`);
    }),
  );
}

function listCommand(call: Call): Command {
  const command = new Command("list").description("Print every address, and what became of its deliveries.");
  return call.carryOut<CommonFlags>(command, (flags) =>
    call.look(flags, async (pool) => {
      const webhooks = await pool.webhooks.list();
      if (call.json) for (const webhook of webhooks) await call.out.record(webhook);
      else if (webhooks.length === 0) call.out.say("No webhooks.");
      else for (const line of table(webhooks.map(row))) await call.out.line(line);
    }),
  );
}

function row({ id, url, events, delivered, pending, failed, lastError }: WebhookRecord): readonly string[] {
  const told = events.length === 0 ? "all" : events.join(",");
  const counts = `${String(delivered)} delivered, ${String(pending)} waiting, ${String(failed)} given up`;
  return [id, url, told, counts, lastError ?? ""];
}

function removeCommand(call: Call): Command {
  const command = new Command("remove")
    .description("Remove an address, and the deliveries that wait for it.")
    .argument("<id>");
  return call.carryOut<CommonFlags>(command, (flags, [id]) =>
    call.look(flags, (pool) => pool.webhooks.remove(id as string)),
  );
}

function testCommand(call: Call): Command {
  const command = new Command("test")
    .description("Send a delivery of the event `test` now, and say what came of it.")
    .argument("<id>");
  return call.carryOut<CommonFlags>(command, (flags, [id]) =>
    call.look(flags, async (pool) => {
      const test = await pool.webhooks.test(id as string);
      if (call.json) await call.out.record(test);
      else
        await call.out.line(
          test.delivered ? "delivered" : `not delivered: ${test.error ?? `answered ${String(test.status)}`}`,
        );
      return test.delivered ? 0 : 1;
    }),
  );
}
