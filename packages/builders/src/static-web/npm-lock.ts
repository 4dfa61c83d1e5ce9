import { TgoError } from "@tgo/errors";
import satisfies from "semver/functions/satisfies.js";
import valid from "semver/functions/valid.js";
import validRange from "semver/ranges/valid.js";
import * as z from "zod";
import { requested, type PackageJson } from "./manifest.js";

/** What is read of a package-lock.json (format 2 or 3). @see https://docs.npmjs.com/cli/v10/configuring-npm/package-lock-json */
const NpmLock = z.looseObject({
  packages: z.record(
    z.string(),
    z.looseObject({ version: z.string().optional(), integrity: z.string().optional() }),
  ),
});

/**
 * `npm ci` holds the lock to package.json too, but asks the registry first, and then says what that lacks.
 * A lock of format 1 is left to it.
 * @throws TgoError SOURCE naming everything that is asked for and not locked
 */
export function requireNpmLocked(service: string, manifest: PackageJson, text: string): void {
  const lock = parse(text);
  if (lock === undefined) return;
  const lacking = Object.entries(requested(manifest)).flatMap(([name, range]) => {
    const version = lock.packages[`node_modules/${name}`]?.version;
    if (version === undefined) {
      return name in manifest.optionalDependencies ? [] : [`${name}@${range}`];
    }
    const comparable = validRange(range) !== null && valid(version) !== null;
    return comparable && !satisfies(version, range) ? [`${name}@${range} (it has ${version})`] : [];
  });
  if (lacking.length === 0) return;
  throw new TgoError(
    "SOURCE",
    `package-lock.json of ${service} does not match package.json: it lacks ${lacking.join(", ")}`,
    {
      where: "package-lock.json",
      remedy: "Run npm install in the service's folder and commit package-lock.json.",
    },
  );
}

/** The package with a hash, which npm does not name when another one arrives. */
export function lockedWith(text: string, integrity: string): string | undefined {
  const entries = Object.entries(parse(text)?.packages ?? {});
  const [path, entry] = entries.find(([, candidate]) => candidate.integrity === integrity) ?? [];
  return path === undefined ? undefined : `${path.replace(/^.*node_modules\//, "")}@${entry?.version ?? ""}`;
}

function parse(text: string): z.infer<typeof NpmLock> | undefined {
  try {
    return NpmLock.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
