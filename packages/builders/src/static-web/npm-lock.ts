import type { Platform } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import * as v from "@tgo/schemas";
import type { CheckRanges } from "../container-tools/container-tools.js";
import { directDependencies, type PackageJson } from "./package-json.js";

/**
 * The fields of a package-lock.json (format 2 or 3) that are read.
 * @see https://docs.npmjs.com/cli/v10/configuring-npm/package-lock-json
 */
const NpmLock = v.looseObject({
  packages: v.record(
    v.string(),
    v.looseObject({
      name: v.optional(v.string()),
      version: v.optional(v.string()),
      resolved: v.optional(v.string()),
      integrity: v.optional(v.string()),
      link: v.optional(v.boolean()),
      inBundle: v.optional(v.boolean()),
      os: v.optional(v.array(v.string())),
      cpu: v.optional(v.array(v.string())),
      optionalDependencies: v.optional(v.record(v.string(), v.string())),
    }),
  ),
});
type NpmLock = v.InferOutput<typeof NpmLock>;

/**
 * Checks that the lock satisfies package.json. `npm ci` does too, but it queries the registry first and may fail there
 * with a misleading message. A lock of format 1 is left to npm.
 * @param builder the platform that npm runs on
 * @throws TgoError SOURCE naming every dependency that is not locked
 */
export async function requireNpmLocked(
  service: string,
  manifest: PackageJson,
  text: string,
  { checkRanges, builder }: { readonly checkRanges: CheckRanges; readonly builder: Platform },
): Promise<void> {
  const lock = parse(text);
  if (lock === undefined) return;
  const required = Object.entries(directDependencies(manifest));
  // A folder of the source (file:) is a link, without a version.
  const entryOf = (name: string): NpmLock["packages"][string] | undefined =>
    lock.packages[`node_modules/${name}`];
  const locked = required.flatMap(([name, range]) => {
    const version = entryOf(name)?.version;
    return version === undefined ? [] : [{ name, range, version }];
  });
  const reports = locked.length === 0 ? [] : await checkRanges(locked);
  const absent = required.filter(
    ([name]) => entryOf(name) === undefined && !(name in manifest.optionalDependencies),
  );
  const missing = [
    ...absent.map(([name, range]) => `${name}@${range}`),
    ...locked
      .filter((_, index) => reports[index]?.allowed === false)
      .map(({ name, range, version }) => `${name}@${range} (it has ${version})`),
  ];
  if (missing.length > 0)
    throw unusable(
      `package-lock.json of ${service} does not match package.json: it lacks ${missing.join(", ")}`,
      "Run",
    );
  const foreign = missingForPlatform(lock, builder);
  if (foreign.length === 0) return;
  throw unusable(
    `package-lock.json of ${service} was made on another machine: for ${builder} it lacks ${foreign.join(", ")}`,
    "Delete package-lock.json and node_modules, run",
  );
}

function unusable(what: string, remedy: string): TgoError {
  return new TgoError("SOURCE", what, {
    where: "package-lock.json",
    remedy: `${remedy} npm install in the service's folder and commit package-lock.json.`,
  });
}

/** Names of processors in package names. */
const PROCESSORS: Readonly<Record<Platform, RegExp>> = {
  "linux/amd64": /\b(?:x64|x86_64|amd64)\b/,
  "linux/arm64": /\b(?:arm64|aarch64)\b/,
};

/**
 * Packages with programs for a platform that the lock lacks, although it has the same ones for others: npm writes only
 * its own machine's if node_modules was there (https://github.com/npm/cli/issues/4828).
 */
function missingForPlatform({ packages }: NpmLock, builder: Platform): string[] {
  const isFor = (name: string): boolean => /\blinux\b/.test(name) && PROCESSORS[builder].test(name);
  return Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) => {
    const names = Object.keys(optionalDependencies);
    const entry = (name: string): NpmLock["packages"][string] | undefined =>
      packages[`${path}/node_modules/${name}`] ?? packages[`node_modules/${name}`];
    const wanted = names.filter(isFor);
    const hasOthers = names.some((name) => entry(name)?.os !== undefined || entry(name)?.cpu !== undefined);
    return hasOthers && wanted.every((name) => entry(name) === undefined) ? wanted : [];
  });
}

/** Packages that npm installs without a hash check, as the lock has none. A commit of a repository is one itself. */
export function npmUnhashed(text: string): string[] {
  const entries = Object.entries(parse(text)?.packages ?? {});
  return entries
    .filter(
      ([path, { integrity, link, inBundle, resolved = "" }]) =>
        path.includes("node_modules/") &&
        integrity === undefined &&
        !link &&
        !inBundle &&
        !/^(?:file:|git)/.test(resolved),
    )
    .map(([path, entry]) => `${nameOf(path)}@${entry.version ?? ""}`)
    .sort();
}

function nameOf(path: string): string {
  return path.replace(/^.*node_modules\//, "");
}

/** The package with this hash in the lock; npm does not name the package whose hash differs. */
export function packageLockedWith(text: string, integrity: string): string | undefined {
  const entries = Object.entries(parse(text)?.packages ?? {});
  const [path, entry] = entries.find(([, candidate]) => candidate.integrity === integrity) ?? [];
  return path === undefined ? undefined : `${nameOf(path)}@${entry?.version ?? ""}`;
}

function parse(text: string): NpmLock | undefined {
  try {
    return v.outputOf(NpmLock, JSON.parse(text));
  } catch {
    return undefined;
  }
}
