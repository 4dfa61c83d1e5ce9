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
    v.looseObject({ version: v.optional(v.string()), integrity: v.optional(v.string()) }),
  ),
});

/**
 * Checks that the lock satisfies package.json. `npm ci` does too, but it queries the registry first and may fail there
 * with a misleading message. A lock of format 1 is left to npm.
 * @throws TgoError SOURCE naming every dependency that is not locked
 */
export async function requireNpmLocked(
  service: string,
  manifest: PackageJson,
  text: string,
  checkRanges: CheckRanges,
): Promise<void> {
  const lock = parse(text);
  if (lock === undefined) return;
  const required = Object.entries(directDependencies(manifest));
  const versionOf = (name: string): string | undefined => lock.packages[`node_modules/${name}`]?.version;
  const locked = required.flatMap(([name, range]) => {
    const version = versionOf(name);
    return version === undefined ? [] : [{ name, range, version }];
  });
  const reports = locked.length === 0 ? [] : await checkRanges(locked);
  const absent = required.filter(
    ([name]) => versionOf(name) === undefined && !(name in manifest.optionalDependencies),
  );
  const missing = [
    ...absent.map(([name, range]) => `${name}@${range}`),
    ...locked
      .filter((_, index) => reports[index]?.allowed === false)
      .map(({ name, range, version }) => `${name}@${range} (it has ${version})`),
  ];
  if (missing.length === 0) return;
  throw new TgoError(
    "SOURCE",
    `package-lock.json of ${service} does not match package.json: it lacks ${missing.join(", ")}`,
    {
      where: "package-lock.json",
      remedy: "Run npm install in the service's folder and commit package-lock.json.",
    },
  );
}

/** The package with this hash in the lock; npm does not name the package whose hash differs. */
export function packageLockedWith(text: string, integrity: string): string | undefined {
  const entries = Object.entries(parse(text)?.packages ?? {});
  const [path, entry] = entries.find(([, candidate]) => candidate.integrity === integrity) ?? [];
  return path === undefined ? undefined : `${path.replace(/^.*node_modules\//, "")}@${entry?.version ?? ""}`;
}

function parse(text: string): v.InferOutput<typeof NpmLock> | undefined {
  try {
    return v.outputOf(NpmLock, JSON.parse(text));
  } catch {
    return undefined;
  }
}
