import { posix } from "node:path";
import { billFileKind, readPackages, type BillFile, type BillFiles, type InstalledPackage } from "@tgo/image";
import type { Bill, BillSubject, Component, Distribution, Hash, License, LockedPackage } from "./bill.js";
import { licensesOfCopyright } from "./debian-copyright.js";
import { readInterpreter } from "./interpreters.js";
import { licenseOf } from "./licenses.js";
import { readOsRelease } from "./os-release.js";
import { npmPurl, purlOf } from "./purl.js";

/**
 * Lists what an image consists of, from its files. The same files give the same bill, from wherever they were read.
 * @param files by path from the root; those for which `isBillFile` is true with their content
 * @param locked packages that are compiled into files, which no database lists
 */
export function readBill(
  subject: BillSubject,
  files: BillFiles,
  locked: readonly LockedPackage[] = [],
): Bill {
  // In one order, whether they were read from layers or from a root file system.
  const contents = [...files]
    .flatMap(([path, { content }]) => (content === undefined ? [] : [[path, content] as const]))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const distribution = distributionIn(files);
  const installed = readPackages(contents).packages.map((found) => componentOf(found, distribution, files));
  const components = [...installed, ...interpretersIn(contents), ...locked.map(lockedComponent)];
  return { subject, distribution, components: mergeByPurl(components) };
}

function distributionIn(files: BillFiles): Distribution | undefined {
  for (const path of ["/etc/os-release", "/usr/lib/os-release"]) {
    const found = readOsRelease(textOf(files.get(path)));
    if (found !== undefined) return found;
  }
  return undefined;
}

function componentOf(
  found: InstalledPackage,
  distribution: Distribution | undefined,
  files: BillFiles,
): Component {
  const { kind, name, version, licenses = [], location } = found;
  return {
    name,
    version,
    purl: purlOf(found, distribution),
    license: kind === "dpkg" ? debianLicense(name, files) : licenseOf(licenses),
    hashes: [],
    locations: [location],
  };
}

/** A package's documentation may be a link to that of another one of the same source. */
function debianLicense(name: string, files: BillFiles): License | undefined {
  const folder = `/usr/share/doc/${name}`;
  const link = files.get(folder)?.target ?? files.get(`${folder}/copyright`)?.target;
  const target = link === undefined ? folder : posix.resolve("/usr/share/doc", link);
  const file = files.get(`${target}/copyright`) ?? files.get(target);
  const names = licensesOfCopyright(textOf(file));
  return names.length === 0 ? undefined : { names };
}

function interpretersIn(contents: readonly (readonly [path: string, content: Uint8Array])[]): Component[] {
  return contents.flatMap(([path, content]) => {
    const kind = billFileKind(path);
    const found = kind && readInterpreter(kind, new TextDecoder().decode(content));
    return found === undefined ? [] : [{ ...found, hashes: [], locations: [path] }];
  });
}

function lockedComponent({ name, version, lock, integrity, license }: LockedPackage): Component {
  return {
    name,
    version,
    purl: npmPurl(name, version),
    license: license === undefined ? undefined : licenseOf([license]),
    hashes: integrity === undefined ? [] : hashesOf(integrity),
    locations: [lock],
  };
}

const ALGORITHMS = { sha1: "SHA-1", sha256: "SHA-256", sha384: "SHA-384", sha512: "SHA-512" } as const;

/** @see https://www.w3.org/TR/SRI/#the-integrity-attribute */
function hashesOf(integrity: string): Hash[] {
  return [...integrity.matchAll(/\b(sha1|sha256|sha384|sha512)-([A-Za-z0-9+/]+={0,2})/g)].map(
    ([, name = "", base64 = ""]) => ({
      algorithm: ALGORITHMS[name as keyof typeof ALGORITHMS],
      value: Buffer.from(base64, "base64").toString("hex"),
    }),
  );
}

/** A package may be in several folders, and both in node_modules and in a lock. */
function mergeByPurl(components: readonly Component[]): Component[] {
  const merged = new Map<string, Component>();
  for (const component of components) {
    const known = merged.get(component.purl);
    merged.set(
      component.purl,
      known === undefined
        ? component
        : {
            ...known,
            license: known.license ?? component.license,
            hashes: known.hashes.length > 0 ? known.hashes : component.hashes,
            locations: [...new Set([...known.locations, ...component.locations])].sort(),
          },
    );
  }
  return [...merged.values()].sort((a, b) => (a.purl < b.purl ? -1 : 1));
}

function textOf(file: BillFile | undefined): string {
  return file?.content === undefined ? "" : new TextDecoder().decode(file.content);
}
