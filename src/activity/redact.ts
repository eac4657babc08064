/** Takes secrets out of a text before it can reach the disk. */
import { homedir } from "node:os";

const mark = "[redacted]";

/** Each finds one kind of secret; a group named `keep` is what stays of it. */
const patterns: readonly RegExp[] = [
  /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)/g,
  // Model providers, then code hosts, then clouds, chat and package registries, by the prefixes of their keys.
  /\b(?:sk-ant-|sk-proj-|sk-or-|sk-svcacct-|sk-)[A-Za-z0-9_-]{16,}/g,
  /\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|hf_[A-Za-z0-9]{20,}|gsk_[A-Za-z0-9]{20,}|xai-[A-Za-z0-9]{20,})/g,
  /\b(?:AKIA|ASIA|AGPA|AROA|ANPA|AIDA|ABIA|ACCA)[A-Z0-9]{16}\b/g,
  /\bAIza[\w-]{35}/g,
  /\bya29\.[\w-]{20,}/g,
  /\b(?:xox[abeoprs]-[\w-]{10,}|xapp-[\w-]{10,})/g,
  /https:\/\/hooks\.slack\.com\/(?:services|workflows)\/\S+/g,
  /\b(?:npm_[A-Za-z0-9]{30,}|pypi-[\w-]{30,}|rubygems_[a-f0-9]{30,}|dckr_pat_[\w-]{20,})/g,
  /\b(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,}/g,
  /\bSG\.[\w-]{16,}\.[\w-]{16,}/g,
  /\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?/g,
  /(?<keep>\b[a-z][a-z0-9+.-]*:\/\/)[^\s/:@]*:[^\s/@]+(?=@)/gi,
  /(?<keep>\b(?:authorization|proxy-authorization)\s*[:=]\s*["']?(?:basic|bearer|token)?\s*)[^\s"',;]{6,}/gi,
  /(?<keep>\bbearer\s+)[\w.~+/=-]{12,}/gi,
  /(?<keep>\b[\w-]*(?:password|passwd|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?)\b["']?\s*[:=]\s*)(?:"[^"]*"|'[^']*'|[^\s,;"'`]+)/gi,
];

/** A run that is long enough to be a key, and is looked at more closely. */
const longRun = /[A-Za-z0-9+/_=-]{32,}/g;

export interface Redaction {
  readonly text: string;
  /** Was a secret taken out? The home directory becoming `~` does not count. */
  readonly redacted: boolean;
}

/** The text with secrets replaced by `[redacted]` and the home directory by `~`. */
export function redact(text: string, home: string = homedir()): Redaction {
  if (text.length < 4) return { text, redacted: false };
  let result = text;
  for (const pattern of patterns) {
    result = result.replace(pattern, (...match: unknown[]) => {
      const groups = match.at(-1);
      const keep =
        typeof groups === "object" && groups !== null ? (groups as { readonly keep?: string }).keep : undefined;
      return `${keep ?? ""}${mark}`;
    });
  }
  result = result.replace(longRun, (run) => (looksRandom(run) ? mark : run));
  const redacted = result !== text;
  if (home.length > 1 && home !== "/") result = withoutHome(result, home);
  return { text: result, redacted };
}

/**
 * Random-looking: letters and digits thoroughly mixed. Commits (40 hex), paths and the words of a sentence in snake or kebab case are not.
 */
function looksRandom(run: string): boolean {
  if (/^[0-9a-f]{40}$/.test(run) || /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(run)) return false;
  return (
    run.split(/[/_-]/).some((part) => part.length >= 20 && mixed(part)) ||
    (!/[/_-]/.test(run) && mixed(run)) ||
    dense(run)
  );
}

function mixed(text: string): boolean {
  if (!/\d/.test(text) || !/[A-Za-z]/.test(text)) return false;
  return entropy(text) >= (/^[0-9a-f]+$/i.test(text) ? 2.5 : 3.3);
}

/** With separators all over it, as base64url has: three kinds of character in most of its parts. */
function dense(run: string): boolean {
  const parts = run.split(/[/_=+-]/).filter((part) => part.length >= 4);
  const odd = parts.filter((part) => /\d/.test(part) && /[a-z]/.test(part) && /[A-Z]/.test(part));
  return odd.length >= 2 && odd.length * 2 > parts.length;
}

function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => sum - (count / text.length) * Math.log2(count / text.length), 0);
}

function withoutHome(text: string, home: string): string {
  const plain = home.replace(/\/+$/, "");
  return text.split(plain).reduce((whole, part) => whole + (/^(?:$|[\s/\\"'`,;:)\]])/.test(part) ? "~" : plain) + part);
}
