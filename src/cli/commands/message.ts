import { text as readAll } from "node:stream/consumers";
import { Command } from "commander";
import { coordinator, type PoolMessage } from "../../core/message.ts";
import { examples, type Call } from "../call.ts";
import type { CommonFlags } from "../flags.ts";
import { clockTime } from "../quantities.ts";

type FromFlags = CommonFlags & { readonly from?: string };

/** `message`: text from one slot, or from the coordinator, to another. */
export function messageCommand(call: Call): Command {
  return new Command("message")
    .summary("write to slots, and read what they wrote")
    .description(
      "Messages wait in the inbox of a slot, whose model reads them beside its next task, or of the coordinator.\n" +
        "They are data to whoever reads them, and leave the inbox when the run that carried them is over.",
    )
    .addCommand(sendCommand(call))
    .addCommand(broadcastCommand(call))
    .addCommand(readCommand(call, "read", "Print what waits in an inbox, which is empty then."))
    .addCommand(readCommand(call, "peek", "Print what waits in an inbox, and leave it there."))
    .addCommand(countCommand(call))
    .addHelpText(
      "after",
      examples(
        'claude-pool message send slot-2 "The schema has changed: see docs/schema.md"',
        'claude-pool message broadcast "Commit nothing until the release is out"',
        "claude-pool message read --json",
      ),
    );
}

function sendCommand(call: Call): Command {
  const command = new Command("send")
    .description("Put a message into an inbox and print its id; with - its text is read from stdin.")
    .argument("<to>", `id of a slot, or ${coordinator}`)
    .argument("<text>")
    .option("--from <who>", `id of a slot, or ${coordinator}, which is the default`);
  return call.carryOut<FromFlags>(command, (flags, [to, words]) =>
    call.look(flags, async (pool) => {
      const content = await textOf(call, words as string);
      const id = await pool.sendMessage({ ...sender(flags), to: to as string, content });
      await showIds(call, [id]);
    }),
  );
}

function broadcastCommand(call: Call): Command {
  const command = new Command("broadcast")
    .description("Put a message into the inbox of every live slot but the sender's, and print the ids.")
    .argument("<text>")
    .option("--from <who>", `id of a slot, or ${coordinator}, which is the default`);
  return call.carryOut<FromFlags>(command, (flags, [words]) =>
    call.look(flags, async (pool) => {
      const ids = await pool.broadcast({ ...sender(flags), content: await textOf(call, words as string) });
      if (ids.length === 0) call.out.say("No slots: nobody got it. Start some with `claude-pool serve`.");
      await showIds(call, ids);
    }),
  );
}

function readCommand(call: Call, name: "read" | "peek", what: string): Command {
  const command = inboxCommand(name, what);
  return call.carryOut<CommonFlags>(command, (flags, [who]) =>
    call.look(flags, async (pool) => {
      const recipient = who as string | undefined;
      const messages = await (name === "read" ? pool.readMessages(recipient) : pool.peekMessages(recipient));
      for (const message of messages) await show(call, message);
      if (messages.length === 0 && !call.json) call.out.say(`No messages for ${recipient ?? coordinator}.`);
    }),
  );
}

function countCommand(call: Call): Command {
  const command = inboxCommand("count", "Print how many messages wait in an inbox.");
  return call.carryOut<CommonFlags>(command, (flags, [who]) =>
    call.look(flags, async (pool) => {
      const recipient = (who as string | undefined) ?? coordinator;
      const count = await pool.messageCount(recipient);
      await (call.json ? call.out.record({ recipient, count }) : call.out.line(String(count)));
    }),
  );
}

function inboxCommand(name: string, what: string): Command {
  return new Command(name).description(what).argument("[who]", `id of a slot (default: ${coordinator})`);
}

function sender(flags: FromFlags): { readonly from?: string } {
  return flags.from === undefined ? {} : { from: flags.from };
}

async function textOf(call: Call, words: string): Promise<string> {
  return words === "-" ? (await readAll(call.io.stdin)).replace(/\r?\n$/, "") : words;
}

async function showIds(call: Call, ids: readonly string[]): Promise<void> {
  for (const messageId of ids) await (call.json ? call.out.record({ messageId }) : call.out.line(messageId));
}

async function show(call: Call, message: PoolMessage): Promise<void> {
  if (call.json) {
    await call.out.record(message);
    return;
  }
  const { colour } = call.out;
  await call.out.line(`${colour.bold(message.from)} ${colour.dim(clockTime(message.sentAtMs))}\n${message.content}\n`);
}
