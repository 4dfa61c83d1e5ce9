import { linesOf, paragraphsOf } from "./deb822.js";
import { isWord, type InstalledPackage } from "./installed-package.js";

/** States of a package that has no files: dpkg(1), "Package states". */
const ABSENT: ReadonlySet<string> = new Set(["not-installed", "config-files"]);

/**
 * Packages of `/var/lib/dpkg/status`, or of a file in `/var/lib/dpkg/status.d`, where distroless images list theirs.
 * Removed packages, of which only the configuration is left, are none.
 * @param location the database's path
 * @see https://manpages.debian.org/bookworm/dpkg-dev/deb822.5.en.html
 */
export function readDpkgStatus(text: string, location: string): InstalledPackage[] {
  const packages: InstalledPackage[] = [];
  for (const fields of paragraphsOf(text)) {
    const name = fields.get("package");
    const version = fields.get("version");
    const state = fields.get("status")?.split(/\s+/)[2] ?? "installed";
    if (ABSENT.has(state) || !isWord(name) || !isWord(version)) continue;
    const architecture = fields.get("architecture");
    const source = sourceOf(fields.get("source"), version);
    packages.push({
      kind: "dpkg",
      name,
      version,
      ...(isWord(architecture) ? { architecture } : {}),
      ...(source === undefined ? {} : { source }),
      location,
    });
  }
  return packages;
}

/** @param field "gcc-12" or, with a version of its own, "gcc-defaults (1.203)" */
function sourceOf(field: string | undefined, version: string): InstalledPackage["source"] {
  const [, name, own = version] = /^(\S+)(?:\s+\(([^)]*)\))?$/.exec(field ?? "") ?? [];
  return isWord(name) && isWord(own) ? { name, version: own } : undefined;
}

/** What a package installed, by its `/var/lib/dpkg/info/NAME.list`: directories too. The first line is "/.". */
export function readDpkgList(text: string): string[] {
  return [...linesOf(text)].filter((line) => line.startsWith("/") && line !== "/.");
}

/** Files by a `NAME.md5sums`: the only list of files that distroless images keep. */
export function readDpkgSums(text: string): string[] {
  return [...linesOf(text)].flatMap((line) => {
    const path = /^[0-9a-f]{32} [ *](.+)$/.exec(line)?.[1];
    return path === undefined ? [] : [`/${path}`];
  });
}
