/**
 * What an entry is about, beside its topic: paths (globs among them) and named resources.
 *
 * Paths are strings to compare, never to open, stat or expand.
 */

export interface Scope {
  /** Relative to the top of the working tree, `/` between parts; `src/`, `src/**` and `src` are all allowed. */
  readonly paths: readonly string[];
  /** `port:3000`, `deploy:staging`. */
  readonly resources: readonly string[];
  /** `outside`: a path outside the working tree, of which the base name was kept. */
  readonly flags: readonly string[];
}

/** Where the paths of a text are to be understood. */
export interface Place {
  /** The top of the working tree, absolute; without it absolute paths are outside. */
  readonly top?: string;
  /** Where relative paths start, relative to `top`; its top if left out. */
  readonly from?: string;
}

const maxItems = 20;
const maxLength = 200;

/**
 * Sorts the items of a list into paths and resources, each normalised; what is neither is left out.
 *
 * @example scopeOf(["./src/a.ts", "port:3000"]) // { paths: ["src/a.ts"], resources: ["port:3000"], flags: [] }
 */
export function scopeOf(items: readonly string[], place: Place = {}): Scope {
  const paths = new Set<string>();
  const resources = new Set<string>();
  const flags = new Set<string>();
  for (const item of items) {
    const text = item.trim();
    if (isResource(text)) {
      resources.add(text.toLowerCase());
      continue;
    }
    const path = normalPath(text, place);
    if (path === undefined) continue;
    paths.add(path.path);
    if (path.outside) flags.add("outside");
  }
  if (paths.size > maxItems || resources.size > maxItems) flags.add("truncated");
  return {
    paths: [...paths].slice(0, maxItems),
    resources: [...resources].slice(0, maxItems),
    flags: [...flags],
  };
}

/** Is this the name of a resource, `kind:name`, and no path? A drive letter, a line number after a file name and a URL are none. */
function isResource(text: string): boolean {
  return /^[a-z][a-z0-9_-]+:[a-z0-9][a-z0-9._-]*$/i.test(text) && text.length <= maxLength;
}

/** A path in the one form that is compared; undefined: it is none, or climbs out of the tree. */
export function normalPath(
  text: string,
  place: Place = {},
): { readonly path: string; readonly outside: boolean } | undefined {
  const slashed = text.trim().replaceAll("\\", "/");
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(slashed)) return undefined; // an address, no path
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (slashed === "" || slashed.length > 4096 || /[\u0000-\u001f\u007f]/.test(slashed)) return undefined;
  const top = place.top?.replaceAll("\\", "/").replace(/\/+$/, "");
  if (top !== undefined && (slashed === top || slashed.startsWith(`${top}/`))) {
    return within(joined("", slashed.slice(top.length)), slashed);
  }
  if (/^([a-z]:|\/|~(\/|$))/i.test(slashed)) return baseName(slashed);
  return within(joined(place.from ?? "", slashed), slashed);
}

function within(parts: readonly string[] | undefined, written: string): { path: string; outside: boolean } | undefined {
  if (parts === undefined) return undefined;
  const path = parts.join("/").normalize("NFC") + (written.endsWith("/") && parts.length > 0 ? "/" : "");
  return { path: (path === "" ? "**" : path).slice(0, maxLength), outside: false };
}

function baseName(path: string): { path: string; outside: boolean } | undefined {
  const name = path
    .split("/")
    .filter((part) => part !== "" && part !== "." && part !== "..")
    .at(-1);
  return name === undefined || /^[a-z]:$/i.test(name)
    ? undefined
    : { path: name.normalize("NFC").slice(0, maxLength), outside: true };
}

/** The parts of a path with `.` and `..` carried out; undefined if it climbs out. */
function joined(from: string, path: string): readonly string[] | undefined {
  const parts: string[] = [];
  for (const part of `${from}/${path}`.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts;
}
