import * as v from "@tgo/schemas";
import { parse } from "yaml";
import type { CompiledPackage } from "./compiled-package.js";

const Versions = v.optional(v.record(v.string(), v.string()), {});
const Locked = v.optional(v.record(v.string(), v.object({ version: v.string() })), {});
const Importer = v.object({ dependencies: Locked, optionalDependencies: Locked });
const Package = v.object({
  version: v.optional(v.string()),
  resolution: v.optional(v.object({ integrity: v.optional(v.string()) })),
  dependencies: Versions,
  optionalDependencies: Versions,
});

/**
 * The fields of a pnpm-lock.yaml that are read, of formats 6 and 9. Format 9 has what a package needs in `snapshots`, format
 * 6 in `packages`; format 6 has a project's own dependencies at the top where there is one project only.
 * @see https://github.com/pnpm/spec/blob/master/lockfile/9.0.md
 */
const PnpmLock = v.object({
  lockfileVersion: v.pipe(v.union([v.string(), v.number()]), v.transform(String)),
  importers: v.optional(v.record(v.string(), Importer), {}),
  dependencies: Locked,
  optionalDependencies: Locked,
  packages: v.optional(v.record(v.string(), Package), {}),
  snapshots: v.optional(v.record(v.string(), Package), {}),
});

/**
 * Follows the dependencies of a project through its pnpm-lock.yaml.
 * @returns undefined for a lock of another format, or a malformed one
 */
export function packagesOfPnpm(text: string): CompiledPackage[] | undefined {
  const lock = v.outputOf(PnpmLock, yamlOf(text));
  if (lock === undefined || !/^[69]\./.test(lock.lockfileVersion)) return undefined;
  const { packages, snapshots } = lock;
  const own = lock.importers["."] ?? lock;
  const pending = Object.entries({ ...own.dependencies, ...own.optionalDependencies }).map(
    ([name, { version }]) => keyOf(name, version),
  );
  const seen = new Set<string>();
  const found = new Map<string, CompiledPackage>();
  for (let key = pending.pop(); key !== undefined; key = pending.pop()) {
    const entry = snapshots[key] ?? packages[`/${key}`];
    if (entry === undefined || seen.has(key)) continue;
    seen.add(key);
    // A version is followed by those of its peers, in parentheses.
    const plain = key.replace(/\(.*$/, "");
    const [, name = "", version = ""] = /^(@?[^@]+)@(.+)$/.exec(plain) ?? [];
    const details = packages[plain] ?? entry;
    const locked = details.version ?? version;
    const integrity = details.resolution?.integrity;
    found.set(`${name}@${locked}`, {
      ...{ name, version: locked, lock: "pnpm-lock.yaml" },
      ...(integrity === undefined ? {} : { integrity }),
    });
    for (const [needed, of] of Object.entries({ ...entry.dependencies, ...entry.optionalDependencies }))
      pending.push(keyOf(needed, of));
  }
  return [...found.values()];
}

/** Under an alias, the version begins with the package's own name: "real@1.2.3", in format 6 "/real@1.2.3". */
function keyOf(name: string, version: string): string {
  const own = version.replace(/^\//, "");
  return /^(?:@[^/@]+\/)?[^@/:(]+@/.test(own) ? own : `${name}@${own}`;
}

/** A source is not trusted: the parser refuses documents that unfold themselves. */
function yamlOf(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}
