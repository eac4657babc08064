import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { writeWhole } from "../src/write-whole.ts";

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "claude-pool-write-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

it("keeps the mode of a file that is there, also where the umask has less, and the link that leads to it", () => {
  const here = folder();
  const [real, link] = [join(here, "real.json"), join(here, "link.json")];
  writeFileSync(real, "old");
  chmodSync(real, 0o666);
  symlinkSync(real, link);

  writeWhole(link, "new", 0o600);

  const [text, mode] = [readFileSync(real, "utf8"), statSync(real).mode & 0o777];
  expect([text, mode, lstatSync(link).isSymbolicLink()]).toEqual(["new", 0o666, true]);
});

it("makes a file that is not there, with the mode that is asked for", () => {
  const file = join(folder(), "new.json");

  writeWhole(file, "new", 0o600);

  expect([readFileSync(file, "utf8"), statSync(file).mode & 0o777]).toEqual(["new", 0o600]);
});

it("writes through no link that somebody put where it writes beside", () => {
  const here = folder();
  const [file, others] = [join(here, "new.json"), join(here, "others")];
  writeFileSync(others, "theirs");
  symlinkSync(others, join(here, `.new.json.${String(process.pid)}.tmp`));

  writeWhole(file, "new", 0o600);

  expect([readFileSync(file, "utf8"), lstatSync(file).isFile(), readFileSync(others, "utf8")]).toEqual([
    "new",
    true,
    "theirs",
  ]);
});

it("leaves nothing beside a place that cannot be written", () => {
  const here = folder();
  mkdirSync(join(here, "taken", "by", "folders"), { recursive: true });

  const said = codeOf(() => writeWhole(join(here, "taken"), "new", 0o600));

  expect([said, readdirSync(here)]).toEqual(["EISDIR", ["taken"]]);
});

function codeOf(act: () => void): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}
