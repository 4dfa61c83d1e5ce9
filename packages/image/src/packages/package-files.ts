import { posix } from "node:path";
import { readApkInstalled } from "./apk.js";
import { readDpkgList, readDpkgStatus, readDpkgSums } from "./dpkg.js";
import type { InstalledPackage } from "./installed-package.js";
import { nameOfFolder, readPackageJson } from "./node.js";
import { readPythonMetadata, readPythonRecord } from "./python.js";

/** What a file says about packages. */
export type PackageFileKind =
  | "dpkg status"
  | "dpkg list"
  | "dpkg sums"
  | "apk installed"
  | "python metadata"
  | "python record"
  | "node package";

/** The longest file that is read: dpkg's status of two thousand packages is 3 MB. A longer one lists no packages. */
export const MAX_PACKAGE_FILE_BYTES = 32 * 1024 * 1024;

/** Of all files of one image. */
const MAX_BYTES = 256 * 1024 * 1024;

const DPKG = "/var/lib/dpkg/";

/**
 * Whether a file of an image says something about packages, by its path from the image's root ("/var/lib/dpkg/status").
 * What matches is to be read whole, up to {@link MAX_PACKAGE_FILE_BYTES}.
 */
export function packageFileKind(path: string): PackageFileKind | undefined {
  if (path.startsWith(DPKG)) {
    if (path === `${DPKG}status`) return "dpkg status";
    const [, folder, name = ""] = /^(info|status\.d)\/([^/]+)$/.exec(path.slice(DPKG.length)) ?? [];
    if (name.endsWith(".md5sums")) return "dpkg sums";
    if (folder === "status.d") return "dpkg status";
    return folder === "info" && name.endsWith(".list") ? "dpkg list" : undefined;
  }
  switch (posix.basename(path)) {
    case "installed":
      return /^(?:\/usr)?\/lib\/apk\/db\/installed$/.test(path) ? "apk installed" : undefined;
    case "METADATA":
      return path.endsWith(".dist-info/METADATA") ? "python metadata" : undefined;
    case "PKG-INFO":
      return path.endsWith(".egg-info/PKG-INFO") ? "python metadata" : undefined;
    case "RECORD":
      return path.endsWith(".dist-info/RECORD") ? "python record" : undefined;
    case "package.json":
      return nameOfFolder(posix.dirname(path)) === undefined ? undefined : "node package";
    default:
      return path.endsWith(".egg-info") ? "python metadata" : undefined;
  }
}

/** The packages of an image, and whose each file is. */
export interface PackageInventory {
  /** By kind, name, version and location. */
  readonly packages: readonly InstalledPackage[];
  /** The package that installed a file, if a database lists it. @param path from the image's root */
  ownerOf(path: string): InstalledPackage | undefined;
}

/**
 * Reads the package databases of an image. Files for which {@link packageFileKind} knows no kind, too long and malformed
 * ones are skipped: an image without databases, such as one of a static program, has no packages.
 * @param files paths from the image's root, with their content; each path once
 */
export function readPackages(
  files: Iterable<readonly [path: string, content: Uint8Array]>,
): PackageInventory {
  const packages: InstalledPackage[] = [];
  /** dpkg's lists by package, and RECORDs by folder. */
  const lists = new Map<string, string[]>();
  let bytesLeft = MAX_BYTES;
  for (const [path, content] of files) {
    const kind = packageFileKind(path);
    if (kind === undefined || content.length > MAX_PACKAGE_FILE_BYTES) continue;
    bytesLeft -= content.length;
    if (bytesLeft < 0) break;
    const text = new TextDecoder().decode(content);
    const folder = posix.dirname(path);
    switch (kind) {
      case "dpkg status":
        packages.push(...readDpkgStatus(text, path));
        break;
      case "dpkg list":
        lists.set(`dpkg ${posix.basename(path, ".list")}`, readDpkgList(text));
        break;
      case "dpkg sums":
        // The list names links too.
        if (!lists.has(`dpkg ${posix.basename(path, ".md5sums")}`))
          lists.set(`dpkg ${posix.basename(path, ".md5sums")}`, readDpkgSums(text));
        break;
      case "apk installed":
        packages.push(...readApkInstalled(text, path));
        break;
      case "python metadata": {
        const found = readPythonMetadata(text, path.endsWith(".egg-info") ? path : folder);
        if (found !== undefined) packages.push(found);
        break;
      }
      case "python record":
        lists.set(folder, readPythonRecord(text, folder));
        break;
      case "node package": {
        const found = readPackageJson(text, folder);
        if (found !== undefined) packages.push(found);
      }
    }
  }
  return new Inventory(packages.map((found) => withFiles(found, lists)).sort(byName));
}

function withFiles(found: InstalledPackage, lists: ReadonlyMap<string, string[]>): InstalledPackage {
  const { kind, name, architecture, location } = found;
  // Packages of which several architectures can be installed have theirs in the file's name.
  const files =
    kind === "dpkg"
      ? (lists.get(`dpkg ${name}:${architecture ?? ""}`) ?? lists.get(`dpkg ${name}`))
      : kind === "python"
        ? lists.get(location)
        : undefined;
  return files === undefined ? found : { ...found, files };
}

function byName(a: InstalledPackage, b: InstalledPackage): number {
  const keys = ["kind", "name", "version", "location"] as const;
  for (const key of keys) if (a[key] !== b[key]) return a[key] < b[key] ? -1 : 1;
  return 0;
}

class Inventory implements PackageInventory {
  /** Made when first asked for: most callers need no owners. */
  #owners: Map<string, InstalledPackage> | undefined;

  constructor(readonly packages: readonly InstalledPackage[]) {}

  ownerOf(path: string): InstalledPackage | undefined {
    this.#owners ??= ownersOf(this.packages);
    // A list names /lib/x where /lib is a link to /usr/lib, and the other way round.
    const other = path.startsWith("/usr/") ? path.slice("/usr".length) : `/usr${path}`;
    const listed = this.#owners.get(path) ?? this.#owners.get(other);
    if (listed !== undefined) return listed;
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      const found = this.#owners.get(`${path.slice(0, end)}/`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

/** By path; a Node package by its folder, with "/" at its end. */
function ownersOf(packages: readonly InstalledPackage[]): Map<string, InstalledPackage> {
  const owners = new Map<string, InstalledPackage>();
  for (const found of packages) {
    if (found.kind === "node") owners.set(`${found.location}/`, found);
    // The system's packages come first in the order of kinds: a distribution that one of them installed is theirs.
    for (const path of found.files ?? []) if (!owners.has(path)) owners.set(path, found);
  }
  return owners;
}
