import { TgoError } from "@tgo/errors";
import type { PackageJson } from "./manifest.js";

export const MANAGERS = ["yarn", "npm", "pnpm"] as const;
export type ManagerName = (typeof MANAGERS)[number];

export const LOCKS = {
  yarn: "yarn.lock",
  npm: "package-lock.json",
  pnpm: "pnpm-lock.yaml",
} as const satisfies Record<ManagerName, string>;

/** The hash of a manager's package as corepack writes it: `sha512.<hex>`. */
export interface PackageHash {
  readonly algorithm: string;
  readonly hex: string;
}

export interface PackageManager {
  readonly name: ManagerName;
  readonly lock: string;
  /** Exact; undefined takes the one of the builder image. */
  readonly version: string | undefined;
  readonly hash: PackageHash | undefined;
}

/** `name@version`, with or without a hash. @see https://nodejs.org/api/packages.html#packagemanager */
const FIELD =
  /^(?<name>[^@]+)@(?<version>\d+\.\d+\.\d+[^+\s]*)(?:\+(?<algorithm>sha\d+)\.(?<hex>[0-9a-f]+))?$/;

const YARN = "1.22.22";

/** By the lock's format, where package.json names no version. */
const PNPM: Record<string, string> = { "6": "8.15.9", "9": "10.34.8" };

/**
 * Which package manager installs a project: `packageManager` of package.json decides, else the only lock there is.
 * @param present names of the files in the project's folder
 * @throws TgoError SOURCE
 */
export function choosePackageManager(
  service: string,
  { packageManager: field }: PackageJson,
  present: ReadonlySet<string>,
): Omit<PackageManager, "version"> & { readonly version: string | undefined } {
  const found = MANAGERS.filter((name) => present.has(LOCKS[name]));
  if (field === undefined) {
    const [name, ...others] = found;
    if (name === undefined) throw noLock(service, Object.values(LOCKS).join(", "));
    if (others.length === 0) return { name, lock: LOCKS[name], version: undefined, hash: undefined };
    throw new TgoError(
      "SOURCE",
      `${service} has ${listed(found)}, and package.json does not say which counts`,
      {
        where: "package.json",
        remedy: `Set packageManager, such as "yarn@${YARN}", or remove the locks that are not kept up to date.`,
      },
    );
  }
  const { name, version, algorithm, hex } = FIELD.exec(field)?.groups ?? {};
  const known = MANAGERS.find((manager) => manager === name);
  if (known === undefined || version === undefined) {
    throw new TgoError(
      "SOURCE",
      `${service} asks for the package manager "${field}", which this product cannot run`,
      {
        where: "packageManager in package.json",
        remedy: `Name one of ${MANAGERS.join(", ")} with its exact version, such as "yarn@${YARN}", or build with the dockerfile strategy.`,
      },
    );
  }
  if (known === "yarn" && !version.startsWith("1.")) throw yarnBerry(service, `yarn ${version}`);
  if (!present.has(LOCKS[known])) throw noLock(service, LOCKS[known], field, found);
  const hash = algorithm === undefined || hex === undefined ? undefined : { algorithm, hex };
  return { name: known, lock: LOCKS[known], version, hash };
}

/**
 * The manager with a version that can read the lock; npm of the builder image reads all of npm's.
 * @throws TgoError SOURCE for a lock that none of ours reads
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
    `the pnpm-lock.yaml of ${service} has the format ${format ?? "of no version"}`,
    {
      remedy: 'Set packageManager in package.json to the pnpm that wrote it, such as "pnpm@7.33.7".',
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
    { remedy: "Install in the service's folder and commit the lock (check that .dockerignore keeps it)." },
  );
}

function yarnBerry(service: string, what: string): TgoError {
  return new TgoError("SOURCE", `${service} uses ${what}; only yarn 1 is supported yet`, {
    where: "package.json",
    remedy: "Use yarn 1, npm or pnpm, or build with the dockerfile strategy.",
  });
}

function listed(managers: readonly ManagerName[]): string {
  return managers.map((name) => LOCKS[name]).join(" and ");
}
