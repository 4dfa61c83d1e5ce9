import { TgoError } from "@tgo/errors";
import { requested, type PackageJson } from "./manifest.js";

/** An entry of a yarn.lock (format v1). */
export interface LockEntry {
  /** What it answers: `name@range`. */
  readonly patterns: readonly string[];
  readonly version: string;
  /** Name to range, without the optional ones: those of other platforms may be missing. */
  readonly dependencies: Readonly<Record<string, string>>;
}

/**
 * Reads a yarn.lock. The format is yarn's own: a line without indent names patterns, lines below hold fields.
 * @see https://classic.yarnpkg.com/lang/en/docs/yarn-lock/
 */
export function parseYarnLock(text: string): LockEntry[] {
  const entries: { patterns: string[]; version: string; dependencies: Record<string, string> }[] = [];
  let section = "";
  for (const line of text.split(/\r?\n/)) {
    if (line === "" || line.startsWith("#")) continue;
    const entry = entries.at(-1);
    const indent = line.length - line.trimStart().length;
    const words = [...line.matchAll(/"((?:[^"\\]|\\.)*)"|([^\s,:"][^\s,"]*)/g)].map(
      ([, quoted, plain]) => quoted ?? plain ?? "",
    );
    if (indent === 0) {
      const patterns = words.map((word) => word.replace(/:$/, ""));
      entries.push({ patterns, version: "", dependencies: {} });
    } else if (indent === 2) {
      section = (words[0] ?? "").replace(/:$/, "");
      if (entry !== undefined && section === "version") entry.version = words[1] ?? "";
    } else if (entry !== undefined && section === "dependencies" && words[0] !== undefined) {
      entry.dependencies[words[0]] = words[1] ?? "";
    }
  }
  return entries;
}

/**
 * yarn 1's --frozen-lockfile lets some stale locks pass, and installs what it finds today instead.
 * @throws TgoError SOURCE naming everything that is asked for and not locked
 */
export function requireLocked(service: string, manifest: PackageJson, entries: readonly LockEntry[]): void {
  const locked = new Set(entries.flatMap(({ patterns }) => patterns));
  const overridden = new Set(
    Object.keys(manifest.resolutions).map((path) => /(?:@[^/]+\/)?[^/]+$/.exec(path)?.[0]),
  );
  const missing = (wanted: Readonly<Record<string, string>>, by: string): string[] =>
    Object.entries(wanted)
      .filter(
        ([name, range]) =>
          !range.startsWith("link:") && !overridden.has(name) && !locked.has(`${name}@${range}`),
      )
      .map(([name, range]) => `${name}@${range} (${by})`);
  const lacking = [
    ...missing(requested(manifest), "package.json"),
    ...entries.flatMap(({ patterns: [pattern = ""], dependencies }) => missing(dependencies, pattern)),
  ];
  if (lacking.length === 0) return;
  const more = lacking.length > 10 ? `, and ${lacking.length - 10} more` : "";
  throw new TgoError(
    "SOURCE",
    `yarn.lock of ${service} does not match package.json: it lacks ${lacking.slice(0, 10).join(", ")}${more}`,
    {
      where: "yarn.lock",
      remedy: "Run yarn install in the service's folder and commit yarn.lock.",
    },
  );
}

/** An installed package. */
export interface Installed {
  readonly name: string;
  readonly version: string;
}

/** What is installed and has no entry: yarn 1 fetched it without a hash to compare. */
export function unlocked(installed: readonly Installed[], entries: readonly LockEntry[]): string[] {
  // By version alone where the name is an alias's: the folder has the alias, the package its own name.
  const known = new Set(
    entries.flatMap(({ patterns, version }) => patterns.map((pattern) => `${nameOf(pattern)}@${version}`)),
  );
  return [...new Set(installed.map(({ name, version }) => `${name}@${version}`))]
    .filter((id) => !known.has(id))
    .sort();
}

/** The package a pattern is about: `b` of `a@npm:b@^1`, else `a` of `a@^1`. */
function nameOf(pattern: string): string {
  const aliased = /^.+?@npm:(.+)$/.exec(pattern)?.[1] ?? pattern;
  return /^(@?[^@]+)/.exec(aliased)?.[1] ?? aliased;
}
