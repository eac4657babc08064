import { describe, expect, it } from "vitest";
import { lineOf } from "../../src/activity/line.ts";
import { redact } from "../../src/activity/redact.ts";
import { entry } from "./temp-log.ts";

/** Put together here, so that no scanner takes this file for a leak. */
const secrets: readonly string[] = [
  "sk-ant-" + "api03-Zx81kQpL0vBn7TtYw2RmCe5",
  "sk-proj-" + "a8Fj39dKslQp20vBnXmZ",
  "ghp_" + "Ab1".repeat(12),
  "github_pat_" + "11ABCDEFG0_abcdefghijklmnop",
  "glpat-" + "xxXXyy11zzZZ22aabbCC",
  "AKIA" + "IOSFODNN7EXAMPLE",
  "AIza" + "SyA1234567890abcdefghijklmnopqrstuv",
  "xoxb-" + "1234567890-abcdefghij",
  "npm_" + "abcdefghijklmnopqrstuvwxyz0123456789",
  "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc",
  "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0." + "dBjftJeZ4CVPmB92K27uhbUJU1p1r_wW1gFWFOEjXk",
  "Zk3jD92lsPqR8vXy7BnM4cW1tUo6HaGe",
  "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  "hunter2secret",
];

const sentences = [
  `-----BEGIN RSA PRIVATE KEY-----\nMIIEow${secrets[11] ?? ""}\n-----END RSA PRIVATE KEY-----`,
  "password: hunter2secret",
  "DB_PASSWORD=hunter2secret and go on",
  '"api_key": "hunter2secret"',
  "postgres://me:hunter2secret@localhost/db",
  "Authorization: Bearer hunter2secret",
  "see https://hooks.slack.com/services/T00/B00/hunter2secret",
];

describe("redaction", () => {
  it.each(secrets.slice(0, -1).map((secret) => [secret.slice(0, 8), secret] as const))("takes out %s…", (_, secret) => {
    expect(redact(`before ${secret} after`, "")).toEqual({ text: "before [redacted] after", redacted: true });
  });

  it.each(sentences.map((text) => [text.slice(0, 20), text] as const))("takes the secret out of %j…", (_, text) => {
    expect(secrets.filter((secret) => redact(text, "").text.includes(secret))).toEqual([]);
  });

  it.each([
    "commit 0123456789abcdef0123456789abcdef01234567",
    "src/components/authentication/login-form-component.test.ts",
    "this_is_a_very_long_snake_case_function_name_2_of_many",
    "the keyboard: a new one; tokens: 3 of 4 left over",
    "see https://example.org/a/long/path/to/something/interesting/2026",
    "task 01a1f7fa-c56d-773c-b91b-c325d59bad2f is done",
  ])("leaves %j as it is", (text) => {
    expect(redact(text, "/home/me")).toEqual({ text, redacted: false });
  });

  it("shows the home directory as ~", () => {
    expect(redact("/home/me/x, /home/me and /home/meow", "/home/me").text).toBe("~/x, ~ and /home/meow");
  });

  it("lets no secret into a line, in whichever field it stands and wherever it would be cut", () => {
    const secret = secrets[0] ?? "";
    const split = `${"x".repeat(110)} ${secret}`;
    const one = entry({
      topic: split,
      summary: secret,
      blocks: secret,
      paths: [`src/${secret}`],
      ref: secret.slice(0, 36),
    });
    const line = lineOf({ ...one, branch: secret, extras: { deep: [{ [secret]: secret }] } }).toString();
    expect([line.includes(secret.slice(0, 20)), one.flags]).toEqual([false, ["redacted", "truncated"]]);
  });
});
