import { TgoError } from "@tgo/errors";
import { directDependencies, type PackageJson } from "./package-json.js";

/** An entry of a yarn.lock (format v1). */
export interface LockEntry {
  /** The dependencies that it resolves, as `name@range`. */
  readonly patterns: readonly string[];
  readonly version: string;
  /** Name to range, without optional dependencies, which may be missing for other platforms. */
  readonly dependencies: Readonly<Record<string, string>>;
  /** `sha512-` and base64; absent for a package from git or a file. */
  readonly integrity?: string;
}

/**
 * Parses a yarn.lock. The format is yarn's own: an unindented line lists patterns, and the lines below it are fields.
 * @see https://classic.yarnpkg.com/lang/en/docs/yarn-lock/
 */
export function parseYarnLock(text: string): LockEntry[] {
  const entries: {
    patterns: string[];
    version: string;
    dependencies: Record<string, string>;
    integrity?: string;
  }[] = [];
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
      if (entry !== undefined && section === "integrity") entry.integrity = words.slice(1).join(" ");
    } else if (entry !== undefined && section === "dependencies" && words[0] !== undefined) {
      entry.dependencies[words[0]] = words[1] ?? "";
    }
  }
  return entries;
}

/**
 * Checks that the lock satisfies package.json. yarn 1's --frozen-lockfile accepts some stale locks and resolves the missing
 * packages from the registry.
 * @throws TgoError SOURCE naming every dependency that is not locked
 */
export function requireLocked(service: string, manifest: PackageJson, entries: readonly LockEntry[]): void {
  const locked = new Set(entries.flatMap(({ patterns }) => patterns));
  const overridden = new Set(
    Object.keys(manifest.resolutions).map((path) => /(?:@[^/]+\/)?[^/]+$/.exec(path)?.[0]),
  );
  const notLocked = (dependencies: Readonly<Record<string, string>>, by: string): string[] =>
    Object.entries(dependencies)
      .filter(
        ([name, range]) =>
          !range.startsWith("link:") && !overridden.has(name) && !locked.has(`${name}@${range}`),
      )
      .map(([name, range]) => `${name}@${range} (${by})`);
  const missing = [
    ...notLocked(directDependencies(manifest), "package.json"),
    ...entries.flatMap(({ patterns: [pattern = ""], dependencies }) => notLocked(dependencies, pattern)),
  ];
  if (missing.length === 0) return;
  const more = missing.length > 10 ? `, and ${missing.length - 10} more` : "";
  throw new TgoError(
    "SOURCE",
    `yarn.lock of ${service} does not match package.json: it lacks ${missing.slice(0, 10).join(", ")}${more}`,
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

/** Installed packages without an entry in the lock, which yarn 1 installed without a hash check. */
export function unlockedPackages(installed: readonly Installed[], entries: readonly LockEntry[]): string[] {
  // An installed package has its own name, even if its folder and pattern have an alias.
  const known = new Set(
    entries.flatMap(({ patterns, version }) => patterns.map((pattern) => `${nameOf(pattern)}@${version}`)),
  );
  return [...new Set(installed.map(({ name, version }) => `${name}@${version}`))]
    .filter((id) => !known.has(id))
    .sort();
}

/** The package that a pattern refers to: `b` for `a@npm:b@^1`, `a` for `a@^1`. */
function nameOf(pattern: string): string {
  const aliased = /^.+?@npm:(.+)$/.exec(pattern)?.[1] ?? pattern;
  return /^(@?[^@]+)/.exec(aliased)?.[1] ?? aliased;
}
