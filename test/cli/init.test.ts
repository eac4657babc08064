import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { removeMember, setMember } from "../../src/cli/json-text.ts";
import { rig, type Rig } from "./rig.ts";

const entry = { command: "npx", args: ["-y", "claude-pool", "mcp"] };

function setup(text?: string): Rig & { readonly file: string; readonly read: () => string } {
  const made = rig();
  onTestFinished(() => made[Symbol.dispose]());
  const file = join(made.project, ".mcp.json");
  if (text !== undefined) writeFileSync(file, text);
  return { ...made, file, read: () => readFileSync(file, "utf8") };
}

/** As people write it: tabs, a list on one line, an odd order, secrets, no newline at the end. */
const written = `{
\t"mcpServers": {
\t\t"other": { "command": "x", "args": ["a", "b"],   "env": {"KEY": "secret \\" } {"} }
\t},
\t"inputs": [1, 2]
}`;

describe("init", () => {
  test("writes a file that has nothing but the server, and shows it", async () => {
    const here = setup();
    const ran = await here.run(["init"]);
    expect([ran.exitCode, JSON.parse(here.read()), ran.stdout.includes('+     "claude-pool": {')]).toEqual([
      0,
      { mcpServers: { "claude-pool": entry } },
      true,
    ]);
  });

  test("adds its server to those of a file, and leaves every other character as it was", async () => {
    const here = setup(written);
    const { exitCode } = await here.run([
      "init",
      "--slots",
      "4",
      "--profile",
      "core",
      "--permission-mode",
      "acceptEdits",
    ]);
    expect([exitCode, here.read()]).toEqual([
      0,
      written.replace(
        '{"} }\n',
        `{"} },
\t\t"claude-pool": {
\t\t\t"command": "npx",
\t\t\t"args": [
\t\t\t\t"-y",
\t\t\t\t"claude-pool",
\t\t\t\t"mcp",
\t\t\t\t"--slots",
\t\t\t\t"4",
\t\t\t\t"--profile",
\t\t\t\t"core",
\t\t\t\t"--permission-mode",
\t\t\t\t"acceptEdits"
\t\t\t]
\t\t}
`,
      ),
    ]);
  });

  test("changes nothing the second time, and its own server when asked for other slots", async () => {
    const here = setup(written);
    await here.run(["init"]);
    const once = here.read();
    const again = await here.run(["init"]);
    const twice = here.read();
    const other = await here.run(["init", "--slots", "3"]);
    const servers = (JSON.parse(here.read()) as { readonly mcpServers: Record<string, unknown> }).mcpServers;
    await here.run(["init", "--undo"]);
    expect([again.stderr, once === twice, other.exitCode, servers["claude-pool"], here.read()]).toEqual([
      `${here.file} has the server "claude-pool" already, and stays as it is.\n`,
      true,
      0,
      { ...entry, args: [...entry.args, "--slots", "3"] },
      written,
    ]);
  });

  test("says of an undo that finds nothing that it found nothing", async () => {
    const here = setup();
    expect(await here.run(["init", "--undo"])).toEqual({
      exitCode: 0,
      stdout: "",
      stderr: `${here.file} has no server "claude-pool": nothing is taken out.\n`,
    });
  });

  test("refuses a server of the same name that is not its own, and replaces it by force, until the undo", async () => {
    const theirs = '{"mcpServers":{"claude-pool":{"command":"mine"}}}';
    const here = setup(theirs);
    const refused = await here.run(["init"]);
    const untouched = here.read();
    const forced = await here.run(["init", "--force"]);
    const replaced = JSON.parse(here.read()) as unknown;
    await here.run(["init", "--undo"]);
    expect([
      refused.exitCode,
      refused.stderr.includes('{"command":"mine"}'),
      untouched,
      forced.exitCode,
      replaced,
      here.read(),
    ]).toEqual([2, true, theirs, 0, { mcpServers: { "claude-pool": entry } }, theirs]);
  });

  test.each([
    ["not JSON", "{ mcpServers: "],
    ["a list", "[]"],
    ["servers that are a list", '{"mcpServers": []}'],
    ["servers twice, of which clients read the last", '{"mcpServers": {"a": {}}, "mcpServers": {"b": {}}}'],
  ])("refuses a file that is %s, and leaves it", async (_, text) => {
    const here = setup(text);
    const ran = await here.run(["init", "--force"]);
    expect([ran.exitCode, ran.stderr.includes("Nothing was changed"), here.read()]).toEqual([2, true, text]);
  });

  test("refuses a link that leads nowhere, and a folder, and leaves them", async () => {
    const [linked, folder] = [setup(), setup()];
    symlinkSync(join(linked.project, "gone.json"), linked.file);
    mkdirSync(folder.file);
    const ran = [await linked.run(["init"]), await folder.run(["init"])];
    expect([
      ran.map(({ exitCode, stderr }) => [exitCode, stderr.includes("Nothing was changed")]),
      lstatSync(linked.file).isSymbolicLink(),
      readdirSync(folder.file),
    ]).toEqual([
      [
        [2, true],
        [2, true],
      ],
      true,
      [],
    ]);
  });

  test.each([
    ["--slots", "-3"],
    ["--permission-mode", "bogus"],
    ["--name", ""],
    ["--name", "a b"],
    ["--name", "__proto__"],
  ])("refuses %s %j, with which no client could start the server", async (flag, value) => {
    const here = setup();
    const ran = await here.run(["init", flag, value]);
    expect([ran.exitCode, ran.stderr.includes(flag), existsSync(here.file)]).toEqual([2, true, false]);
  });

  test("takes a name that every object of JavaScript has, too", async () => {
    const here = setup();
    const ran = await here.run(["init", "--name", "constructor"]);
    expect([ran.exitCode, JSON.parse(here.read())]).toEqual([0, { mcpServers: { constructor: entry } }]);
  });

  test("undone, removes the file that it made", async () => {
    const here = setup();
    await here.run(["init"]);
    const undone = await here.run(["init", "--undo", "--json"]);
    expect([JSON.parse(undone.stdout), existsSync(here.file)]).toMatchObject([
      { action: "removed", written: true },
      false,
    ]);
  });

  test("undone after somebody else's change, takes out its own server alone", async () => {
    const here = setup(written);
    await here.run(["init"]);
    writeFileSync(here.file, here.read().replace('"inputs": [1, 2]', '"inputs": [3]'));
    const undone = await here.run(["init", "--undo"]);
    expect([undone.exitCode, here.read()]).toEqual([0, written.replace("[1, 2]", "[3]")]);
  });

  test("undone, leaves a server that was changed since", async () => {
    const here = setup();
    await here.run(["init"]);
    writeFileSync(here.file, here.read().replace('"-y"', '"--offline"'));
    const changed = here.read();
    const refused = await here.run(["init", "--undo"]);
    const kept = here.read();
    const forced = await here.run(["init", "--undo", "--force"]);
    expect([refused.exitCode, kept, forced.exitCode, JSON.parse(here.read())]).toEqual([
      2,
      changed,
      0,
      { mcpServers: {} },
    ]);
  });

  test("tells what it would do and writes nothing with --dry-run", async () => {
    const here = setup(written);
    const ran = await here.run(["init", "--dry-run", "--json"]);
    const told = JSON.parse(ran.stdout) as Record<string, unknown>;
    expect([told.action, told.written, told.before, here.read(), existsSync(join(here.poolHome, "init.json"))]).toEqual(
      ["updated", false, written, written, false],
    );
  });

  test("writes at the top of the repository, through a link, and an empty file too", async () => {
    const here = setup();
    mkdirSync(join(here.project, ".git"));
    mkdirSync(join(here.project, "deep"));
    writeFileSync(join(here.project, "real.json"), "");
    symlinkSync(join(here.project, "real.json"), here.file);
    const ran = await here.run(["init"], { cwd: join(here.project, "deep") });
    expect([ran.exitCode, JSON.parse(readFileSync(join(here.project, "real.json"), "utf8"))]).toEqual([
      0,
      { mcpServers: { "claude-pool": entry } },
    ]);
  });
});

test("a member that is set into any object and removed again leaves the object's value, whatever its text looks like", () => {
  const object = fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 5 });
  const indent = fc.constantFrom(undefined, 1, 2, 4, "\t");
  fc.assert(
    fc.property(
      object.map(plain),
      indent,
      fc.string({ minLength: 1 }),
      fc.jsonValue().map(plain),
      (before, space, key, value) => {
        fc.pre(key !== "__proto__" && !Object.hasOwn(before, "__proto__"));
        const { [key]: _, ...others } = before;
        const set = setMember(JSON.stringify(before, undefined, space), [key], value);
        expect(JSON.parse(set)).toEqual({ ...before, [key]: value });
        expect(JSON.parse(removeMember(set, [key]))).toEqual(others);
      },
    ),
  );
});

/** As JSON gives it back: without -0. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
