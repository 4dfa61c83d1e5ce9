import { TgoError } from "@tgo/errors";
import type { PackageJson } from "./package-json.js";

export const MANAGERS = ["yarn", "npm", "pnpm"] as const;
export type ManagerName = (typeof MANAGERS)[number];

export const LOCKS = {
  yarn: "yarn.lock",
  npm: "package-lock.json",
  pnpm: "pnpm-lock.yaml",
} as const satisfies Record<ManagerName, string>;

/** The hash of a manager's package, in corepack's format: `sha512.<hex>`. */
export interface PackageHash {
  readonly algorithm: string;
  readonly hex: string;
}

export interface PackageManager {
  readonly name: ManagerName;
  readonly lock: string;
  /** Exact version; undefined for that of the builder image. */
  readonly version: string | undefined;
  readonly hash: PackageHash | undefined;
}

/**
 * `name@version`, optionally with a hash.
 * @see https://nodejs.org/api/packages.html#packagemanager
 */
const FIELD =
  /^(?<name>[^@]+)@(?<version>\d+\.\d+\.\d+[^+\s]*)(?:\+(?<algorithm>sha\d+)\.(?<hex>[0-9a-f]+))?$/;

/** The yarn that is used if package.json names none. */
const YARN = "1.22.22";

/** The pnpm version for each lock format, if package.json names none. */
const PNPM: Record<string, string> = { "6": "8.15.9", "9": "10.34.8" };

/**
 * Chooses the package manager of a project: that of `packageManager` in package.json, or that of the only lock.
 * @param present the file names in the project's folder
 * @throws TgoError SOURCE
 */
export function choosePackageManager(
  service: string,
  { packageManager: field }: PackageJson,
  present: ReadonlySet<string>,
): PackageManager {
  const found = MANAGERS.filter((name) => present.has(LOCKS[name]));
  if (field === undefined) {
    const [name, ...others] = found;
    if (name === undefined) throw noLock(service, Object.values(LOCKS).join(", "));
    if (others.length === 0) return { name, lock: LOCKS[name], version: undefined, hash: undefined };
    throw new TgoError(
      "SOURCE",
      `${service} has ${listed(found)}, and package.json does not say which one to use`,
      {
        where: "package.json",
        remedy: `Set packageManager, such as "yarn@${YARN}", or remove the outdated locks.`,
      },
    );
  }
  const { name, version, algorithm, hex } = FIELD.exec(field)?.groups ?? {};
  const known = MANAGERS.find((manager) => manager === name);
  if (known === undefined || version === undefined) {
    throw new TgoError(
      "SOURCE",
      `${service} requires the package manager "${field}", which is not supported`,
      {
        where: "packageManager in package.json",
        remedy: `Name one of ${MANAGERS.join(", ")} with its exact version, such as "yarn@${YARN}", or use the dockerfile strategy.`,
      },
    );
  }
  if (known === "yarn" && !version.startsWith("1.")) throw yarnBerry(service, `yarn ${version}`);
  if (!present.has(LOCKS[known])) throw noLock(service, LOCKS[known], field, found);
  const hash = algorithm === undefined || hex === undefined ? undefined : { algorithm, hex };
  return { name: known, lock: LOCKS[known], version, hash };
}

/**
 * Selects a version of the manager that can read the lock. The builder image's npm reads all npm locks.
 * @throws TgoError SOURCE for an unsupported lock
 */
export function withVersion(service: string, manager: PackageManager, lock: string): PackageManager {
  if (manager.name === "yarn" && /^__metadata:/m.test(lock)) throw yarnBerry(service, "yarn 2 or newer");
  if (manager.version !== undefined || manager.name === "npm") return manager;
  if (manager.name === "yarn") return { ...manager, version: YARN };
  const format = /^lockfileVersion:\s*['"]?(\d+)/m.exec(lock)?.[1];
  const version = PNPM[format ?? ""];
  if (version !== undefined) return { ...manager, version };
  throw new TgoError(
    "SOURCE",
    `the pnpm-lock.yaml of ${service} has the unsupported format ${format ?? "(none)"}`,
    {
      remedy: 'Set packageManager in package.json to the pnpm version that wrote it, such as "pnpm@7.33.7".',
    },
  );
}

function noLock(
  service: string,
  expected: string,
  field?: string,
  found: readonly ManagerName[] = [],
): TgoError {
  const instead = found.length === 0 ? "" : `, but ${listed(found)}`;
  return new TgoError(
    "SOURCE",
    `${service} has no ${expected.replace(/, (?=[^,]*$)/, " or ")}${instead}${field === undefined ? "" : `; packageManager says ${field}`}`,
    {
      remedy:
        "Install the packages in the service's folder and commit the lock (check that .dockerignore does not exclude it).",
    },
  );
}

function yarnBerry(service: string, what: string): TgoError {
  return new TgoError("SOURCE", `${service} uses ${what}; only yarn 1 is supported`, {
    where: "package.json",
    remedy: "Use yarn 1, npm or pnpm, or the dockerfile strategy.",
  });
}

function listed(managers: readonly ManagerName[]): string {
  return managers.map((name) => LOCKS[name]).join(" and ");
}
