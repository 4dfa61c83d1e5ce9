import { posix } from "node:path";
import { pathPattern } from "../elf/path-pattern.js";
import type { InstalledPackage, PackageKind } from "../packages/installed-package.js";
import type { PackageInventory } from "../packages/package-files.js";
import type { Platform } from "../platform.js";
import { neutralName } from "./neutral-name.js";

/** What a variant contains. */
export interface VariantContents {
  readonly platform: Platform;
  /** Sizes in bytes of the regular files, by path from the root. */
  readonly files: ReadonlyMap<string, number>;
  readonly packages: PackageInventory;
}

const WORDS: Readonly<Record<PackageKind, string>> = {
  dpkg: "Debian package",
  apk: "Alpine package",
  python: "Python package",
  node: "npm package",
};

/** How many names one finding lists. */
const SHOWN = 6;

/** Totals are far apart from this ratio, and difference in bytes, on. */
const TOTAL = { ratio: 1.5, bytes: 10 << 20 };
/** Sizes of one file: programs of one source differ by less. */
const ONE_FILE = { ratio: 8, bytes: 1 << 20 };

/**
 * What only some variants of an image have: packages and their versions, files, and sizes far apart. Architectures in
 * names are no difference, nor are the files of a package that all variants have: those are its packager's.
 * @param allow differences that are meant: names of packages, and path patterns, which begin with a slash
 * @returns one line per finding; none for a single variant
 */
export function compareContents(
  variants: readonly VariantContents[],
  allow: readonly string[] = [],
): string[] {
  const names = new Set(allow.filter((text) => !text.startsWith("/")));
  const patterns = allow.filter((text) => text.startsWith("/")).map(pathPattern);
  const sides = variants.map((variant) => new Side(variant));
  const isAllowed = (path: string): boolean => patterns.some((pattern) => pattern.test(path));
  const isShared = (key: string): boolean => sides.every(({ packages }) => packages.has(key));
  return sides.length < 2
    ? []
    : [
        ...packagesOfSome(sides, names),
        ...versionsApart(sides, names),
        ...sides.flatMap((side) => filesOfOne(side, sides, { isAllowed, isShared })),
        ...filesApart(sides, { isAllowed, isShared }),
        ...totalsApart(sides, isAllowed),
      ];
}

interface Exceptions {
  readonly isAllowed: (path: string) => boolean;
  /** Whether all variants have a package. */
  readonly isShared: (key: string) => boolean;
}

/** A variant by the names that all platforms share. */
class Side {
  readonly platform: Platform;
  /** By kind and name. */
  readonly packages = new Map<string, InstalledPackage[]>();
  /** By neutral path. */
  readonly files = new Map<string, { readonly path: string; readonly bytes: number }>();
  readonly folders = new Set<string>();
  readonly bytes: number;
  readonly #inventory: PackageInventory;

  constructor({ platform, files, packages }: VariantContents) {
    this.platform = platform;
    this.#inventory = packages;
    for (const found of packages.packages) {
      const key = keyOf(found);
      this.packages.set(key, [...(this.packages.get(key) ?? []), found]);
    }
    let bytes = 0;
    for (const [path, size] of files) {
      const name = neutralName(path);
      this.files.set(name, { path, bytes: size });
      bytes += size;
      for (let folder = posix.dirname(name); !this.folders.has(folder); folder = posix.dirname(folder))
        this.folders.add(folder);
    }
    this.bytes = bytes;
  }

  /** The package that a file is of, by its key; a compiled Python module is of its source's package. */
  ownerOf(path: string): string | undefined {
    const source = path.replace(/\/__pycache__\/([^/]+?)\.[^./]*-\d+(?:\.opt-\d)?\.pyc$/, "/$1.py");
    const owner = this.#inventory.ownerOf(path) ?? this.#inventory.ownerOf(source);
    return owner && keyOf(owner);
  }
}

function keyOf({ kind, name }: InstalledPackage): string {
  return `${kind} ${neutralName(name)}`;
}

function packagesOfSome(sides: readonly Side[], allowed: ReadonlySet<string>): string[] {
  const found = new Map<string, string[]>();
  for (const key of new Set(sides.flatMap(({ packages }) => [...packages.keys()]))) {
    const having = sides.filter(({ packages }) => packages.has(key));
    const [first] = having[0]?.packages.get(key) ?? [];
    if (having.length === sides.length || first === undefined || allowed.has(first.name)) continue;
    const group = `${only(having)} the ${WORDS[first.kind]}`;
    found.set(group, [...(found.get(group) ?? []), `${first.name} ${first.version}`.trim()]);
  }
  return [...found].map(([group, names]) => `${group}${names.length === 1 ? "" : "s"} ${listed(names)}`);
}

/** "only linux/amd64 has" */
function only(having: readonly Side[]): string {
  const platforms = having.map(({ platform }) => platform).join(" and ");
  return `only ${platforms} ${having.length === 1 ? "has" : "have"}`;
}

function versionsApart(sides: readonly Side[], allowed: ReadonlySet<string>): string[] {
  const found = new Map<PackageKind, string[]>();
  for (const key of sides[0]?.packages.keys() ?? []) {
    const each = sides.map(({ packages }) => packages.get(key) ?? []);
    const [first] = each[0] ?? [];
    if (first === undefined || each.some(({ length }) => length === 0) || allowed.has(first.name)) continue;
    const versions = each.map((all) => [...new Set(all.map(sourceVersion))].sort().join(" and "));
    if (new Set(versions).size === 1) continue;
    const told = versions.map((version, at) => `${version} on ${sides[at]?.platform ?? ""}`);
    found.set(first.kind, [...(found.get(first.kind) ?? []), `${first.name} (${told.join(", ")})`]);
  }
  return [...found].map(
    ([kind, names]) =>
      `versions differ of the ${WORDS[kind]}${names.length === 1 ? "" : "s"} ${listed(names)}`,
  );
}

/** Debian rebuilds a package for one architecture under the same version with "+b1". */
function sourceVersion({ kind, version }: InstalledPackage): string {
  return kind === "dpkg" ? version.replace(/\+b\d+$/, "") : version;
}

interface Group {
  readonly label: string;
  readonly files: string[];
  bytes: number;
}

function filesOfOne(side: Side, sides: readonly Side[], { isAllowed, isShared }: Exceptions): string[] {
  const others = sides.filter((other) => other !== side);
  const groups = new Map<string, Group>();
  for (const [name, { path, bytes }] of side.files) {
    if (others.some(({ files }) => files.has(name)) || isAllowed(path)) continue;
    const owner = side.ownerOf(path);
    // A package that others lack is a finding of its own.
    if (owner !== undefined && (isShared(owner) || others.some(({ packages }) => !packages.has(owner))))
      continue;
    const label = folderOf(path, (folder) => others.some(({ folders }) => folders.has(neutralName(folder))));
    const group = groups.get(label) ?? { label, files: [], bytes: 0 };
    group.files.push(path);
    group.bytes += bytes;
    groups.set(label, group);
  }
  if (groups.size === 0) return [];
  const sorted = [...groups.values()].sort((a, b) => b.bytes - a.bytes || (a.label < b.label ? -1 : 1));
  return [`${only([side])} files: ${listed(sorted.map(describe))}`];
}

/** The highest folder that others lack, with a slash; else the file's own folder. */
function folderOf(path: string, isThere: (folder: string) => boolean): string {
  const parts = path.split("/");
  for (let at = 2; at < parts.length; at++) {
    const folder = parts.slice(0, at).join("/");
    if (!isThere(folder)) return `${folder}/`;
  }
  return posix.dirname(path);
}

function describe({ label, files, bytes }: Group): string {
  const [first = ""] = files;
  if (files.length === 1) return `${first} (${sizeText(bytes)})`;
  return `${label.replace(/\/?$/, "/")} (${files.length} files, ${sizeText(bytes)})`;
}

function filesApart(sides: readonly Side[], { isAllowed, isShared }: Exceptions): string[] {
  const found: { readonly told: string; readonly bytes: number }[] = [];
  for (const [name, { path }] of sides[0]?.files ?? []) {
    const sizes = sides.map(({ files }) => files.get(name)?.bytes);
    const known = sizes.filter((bytes) => bytes !== undefined);
    if (known.length < sides.length || !areApart(known, ONE_FILE) || isAllowed(path)) continue;
    const owner = sides[0]?.ownerOf(path);
    if (owner !== undefined && isShared(owner)) continue;
    const told = known.map((bytes, at) => `${sizeText(bytes)} on ${sides[at]?.platform ?? ""}`);
    found.push({ told: `${path} (${told.join(", ")})`, bytes: Math.max(...known) });
  }
  if (found.length === 0) return [];
  found.sort((a, b) => b.bytes - a.bytes);
  return [`sizes are far apart: ${listed(found.map(({ told }) => told))}`];
}

function totalsApart(sides: readonly Side[], isAllowed: (path: string) => boolean): string[] {
  const totals = sides.map((side) =>
    [...side.files.values()].reduce((sum, { path, bytes }) => sum + (isAllowed(path) ? 0 : bytes), 0),
  );
  if (!areApart(totals, TOTAL)) return [];
  const told = totals.map((bytes, at) => `${sizeText(bytes)} on ${sides[at]?.platform ?? ""}`);
  return [`the files' total sizes are far apart: ${told.join(", ")}`];
}

function areApart(sizes: readonly number[], { ratio, bytes }: typeof TOTAL): boolean {
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  return most - least >= bytes && most >= ratio * least;
}

function listed(texts: readonly string[]): string {
  const more = texts.length - SHOWN;
  return more > 0 ? `${texts.slice(0, SHOWN).join(", ")} and ${more} more` : texts.join(", ");
}

/** "1.5 KiB", "12.3 MiB" */
function sizeText(bytes: number): string {
  const kib = bytes / 1024;
  return kib < 1024 ? `${kib.toFixed(1)} KiB` : `${(kib / 1024).toFixed(1)} MiB`;
}
