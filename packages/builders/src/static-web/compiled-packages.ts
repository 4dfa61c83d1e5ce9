import * as v from "@tgo/schemas";
import { entryName } from "../source/entry-name.js";
import type { BuildRequest } from "../build-request.js";
import { parsePackageJson, type PackageJson } from "./package-json.js";
import type { CompiledPackage } from "./compiled-package.js";
import { choosePackageManager } from "./package-manager.js";
import { parseYarnLock } from "./yarn-lock.js";

/**
 * The packages that a static-web service compiles into its pages: those that it depends on, and what these depend on,
 * by its lock. Development dependencies are tools. None for other strategies, whose packages are in the image.
 * @returns undefined where the service has a lock that is not read: npm's format 1, or pnpm's before format 6
 * @throws TgoError SOURCE for a malformed package.json
 */
export async function compiledPackages({
  name,
  service,
  source,
}: Pick<BuildRequest, "name" | "service" | "source">): Promise<readonly CompiledPackage[] | undefined> {
  if (service.build.strategy !== "static-web") return [];
  const present = new Set(source.entries.map(entryName));
  const read = (file: string): Promise<string> => source.directory.file(file).contents();
  const manifest = parsePackageJson(name, await read("package.json"));
  const manager = choosePackageManager(name, manifest, present);
  const lock = await read(manager.lock);
  switch (manager.name) {
    case "yarn":
      return packagesOfYarn(manifest, lock);
    case "npm":
      return packagesOfNpm(lock);
    case "pnpm":
      // Its parser is large, and loaded for such locks only.
      return (await import("./pnpm-packages.js")).packagesOfPnpm(lock)?.sort(byName);
  }
}

/** Follows the dependencies of package.json through a yarn.lock. */
export function packagesOfYarn(manifest: PackageJson, text: string): CompiledPackage[] {
  const byPattern = new Map(
    parseYarnLock(text).flatMap((entry) => entry.patterns.map((pattern) => [pattern, entry] as const)),
  );
  const found = new Map<string, CompiledPackage>();
  const pending = Object.entries({ ...manifest.dependencies, ...manifest.optionalDependencies });
  const seen = new Set<string>();
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [name, range] = next;
    const pattern = `${name}@${range}`;
    const entry = byPattern.get(pattern);
    if (entry === undefined || seen.has(pattern)) continue;
    seen.add(pattern);
    const { version, integrity, dependencies } = entry;
    const own = /^npm:((?:@[^/]+\/)?[^@]+)/.exec(range)?.[1] ?? name;
    found.set(`${own}@${version}`, {
      name: own,
      version,
      lock: "yarn.lock",
      ...(integrity === undefined ? {} : { integrity }),
    });
    pending.push(...Object.entries(dependencies));
  }
  return [...found.values()].sort(byName);
}

const NpmLock = v.object({
  packages: v.record(
    v.string(),
    v.object({
      name: v.optional(v.string()),
      version: v.optional(v.string()),
      integrity: v.optional(v.string()),
      license: v.optional(v.unknown()),
      dev: v.optional(v.boolean()),
      link: v.optional(v.boolean()),
    }),
  ),
});

/** @returns undefined for a lock of format 1, or a malformed one */
export function packagesOfNpm(text: string): CompiledPackage[] | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const lock = v.outputOf(NpmLock, json);
  if (lock === undefined) return undefined;
  const found = new Map<string, CompiledPackage>();
  for (const [path, { name, version, integrity, license, dev, link }] of Object.entries(lock.packages)) {
    const installed = /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(path)?.[1];
    if (installed === undefined || version === undefined || dev === true || link === true) continue;
    const own = name ?? installed;
    found.set(`${own}@${version}`, {
      name: own,
      version,
      lock: "package-lock.json",
      ...(integrity === undefined ? {} : { integrity }),
      ...(typeof license === "string" ? { license } : {}),
    });
  }
  return [...found.values()].sort(byName);
}

function byName(a: CompiledPackage, b: CompiledPackage): number {
  const [keyA, keyB] = [`${a.name}@${a.version}`, `${b.name}@${b.version}`];
  return keyA < keyB ? -1 : 1;
}
