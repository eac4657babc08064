/** `claude-pool hooks`: into Claude Code's settings and out again, and nothing else in them touched. */
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { rig, type Rig } from "./rig.ts";

const events = [
  "SessionStart",
  "UserPromptSubmit",
  "PreToolUse",
  "PostToolUse",
  "Stop",
  "SubagentStart",
  "SubagentStop",
  "SessionEnd",
];

interface Settings {
  readonly hooks?: Readonly<
    Record<string, readonly { readonly hooks: readonly Readonly<Record<string, unknown>>[] }[]>
  >;
  readonly [name: string]: unknown;
}

function place(): Rig & { readonly file: string } {
  const own = rig();
  const file = join(own.claudeHome, ".claude", "settings.json");
  mkdirSync(join(own.claudeHome, ".claude"));
  return Object.assign(own, { file });
}

function settingsIn(file: string): Settings {
  return JSON.parse(readFileSync(file, "utf8")) as Settings;
}

/** Settings of somebody who has hooks already, in a layout of their own. */
const theirs = `{
    "model": "opus",
    "hooks": { "Stop": [ { "hooks": [ { "type": "command", "command": "say done" } ] } ], "Notification": [] }
}`;

it("adds its hooks beside what is there, and says what it changed", async () => {
  using own = place();
  writeFileSync(own.file, theirs, { mode: 0o640 });

  const ran = await own.run(["hooks", "install"]);

  const { hooks = {}, ...rest } = settingsIn(own.file);
  const stops = (hooks.Stop ?? []).map((group) => group.hooks.map(({ command }) => command));
  expect([
    ran.exitCode,
    ran.stdout.match(/^\+ \w+/gm)?.length,
    rest,
    stops,
    Object.keys(hooks).sort(),
    statSync(own.file).mode & 0o777,
  ]).toEqual([0, 8, { model: "opus" }, [["say done"], ["node"]], [...events, "Notification"].sort(), 0o640]);
  expect(readFileSync(`${own.file}.before-claude-pool`, "utf8")).toBe(theirs);
});

it("installs a program that is there", async () => {
  using own = place();
  await own.run(["hooks", "install"]);
  const args = settingsIn(own.file).hooks?.Stop?.[0]?.hooks[0]?.args as readonly string[];
  expect(args.map((path) => existsSync(path))).toEqual([true]);
});

it("takes away exactly what it added, byte for byte", async () => {
  using own = place();
  writeFileSync(own.file, theirs);
  await own.run(["hooks", "install"]);

  const ran = await own.run(["hooks", "uninstall"]);

  expect([ran.exitCode, readFileSync(own.file, "utf8"), existsSync(`${own.file}.before-claude-pool`)]).toEqual([
    0,
    theirs,
    false,
  ]);
});

it("keeps what the user changed between install and uninstall", async () => {
  using own = place();
  writeFileSync(own.file, theirs);
  await own.run(["hooks", "install"]);
  writeFileSync(own.file, JSON.stringify({ ...settingsIn(own.file), model: "haiku" }));

  await own.run(["hooks", "uninstall"]);

  expect(settingsIn(own.file)).toEqual({ ...(JSON.parse(theirs) as object), model: "haiku" });
});

it("leaves no file where there was none", async () => {
  using own = place();
  await own.run(["hooks", "install"]);
  await own.run(["hooks", "uninstall"]);
  expect(existsSync(own.file)).toBe(false);
});

it("changes nothing a second time, and nothing at all with --dry-run", async () => {
  using own = place();
  const dry = await own.run(["hooks", "install", "--dry-run"]);
  const before = existsSync(own.file);
  await own.run(["hooks", "install"]);
  const once = readFileSync(own.file, "utf8");
  const again = await own.run(["hooks", "install"]);
  expect([dry.stdout.split("\n").length - 1, before, again.stdout, readFileSync(own.file, "utf8") === once]).toEqual([
    8,
    false,
    "",
    true,
  ]);
});

it("replaces the hooks of another version", async () => {
  using own = place();
  const old = { hooks: { Stop: [{ hooks: [{ type: "command", command: "/old/bin/claude-pool-hook" }] }] } };
  writeFileSync(own.file, JSON.stringify(old));
  await own.run(["hooks", "install"]);
  expect(settingsIn(own.file).hooks?.Stop?.map((group) => group.hooks.map(({ command }) => command))).toEqual([
    ["node"],
  ]);
});

it("writes through a link", async () => {
  using own = place();
  const real = join(own.claudeHome, "dotfiles.json");
  writeFileSync(real, "{}");
  symlinkSync(real, own.file);
  await own.run(["hooks", "install"]);
  expect(Object.keys(settingsIn(real).hooks ?? {}).length).toBe(8);
});

it.each(["{ broken", "[]", '{"hooks": []}', '{"hooks": {"Stop": {}}}'])("leaves %j alone", async (text) => {
  using own = place();
  writeFileSync(own.file, text);
  const ran = await own.run(["hooks", "install"]);
  expect([ran.exitCode, ran.stderr.includes("was left as it is"), readFileSync(own.file, "utf8")]).toEqual([
    2,
    true,
    text,
  ]);
});

it("names the program without a place in settings that others share", async () => {
  using own = place();
  await own.run(["hooks", "install", "--scope", "project"]);
  const { hooks } = settingsIn(join(own.project, ".claude", "settings.json"));
  expect(hooks?.Stop?.[0]?.hooks[0]).toEqual({ type: "command", command: "claude-pool-hook", args: [], timeout: 10 });
});

it("shows where the hooks are, and says that the plugin has them too", async () => {
  using own = place();
  writeFileSync(own.file, JSON.stringify({ enabledPlugins: { "pool@claude-pool": true } }));
  const installed = await own.run(["hooks", "install"]);
  const shown = await own.run(["hooks", "show", "--json"]);
  const lines = shown.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  expect([
    installed.stderr.includes("keep one of the two"),
    lines.map(({ scope, events, plugin }) => [scope, events, plugin]),
  ]).toEqual([
    true,
    [
      ["user", events, true],
      ["project", [], false],
      ["local", [], false],
    ],
  ]);
});

it("comes and goes by `init --hooks` too, and leaves the file as it was", async () => {
  using own = place();
  writeFileSync(own.file, theirs);

  const put = await own.run(["init", "--hooks"]);
  const during = await own.run(["hooks", "show"]);
  const taken = await own.run(["init", "--hooks", "--undo"]);

  expect([
    put.exitCode,
    put.stdout.match(/^\+ \w+/gm)?.length,
    during.stdout.startsWith("user     hooks"),
    taken.exitCode,
    readFileSync(own.file, "utf8"),
    existsSync(join(own.project, ".mcp.json")),
  ]).toEqual([0, 8, true, 0, theirs, false]);
});

it.each([
  [["init", "--hooks", "--slots", "4"], "--slots: not with --hooks."],
  [["init", "--hooks", "--name", "other"], "--name: not with --hooks."],
  [["init", "--scope", "local"], "--scope: only with --hooks."],
  [["init", "--hooks", "--scope", "somebody"], "--scope"],
])("refuses %j, and writes nothing", async (argv, said) => {
  using own = place();
  const ran = await own.run(argv);
  expect([
    ran.exitCode,
    ran.stderr.includes(said),
    existsSync(own.file),
    existsSync(join(own.project, ".mcp.json")),
  ]).toEqual([2, true, false, false]);
});
