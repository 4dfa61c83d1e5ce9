import { gunzipSync, gzipSync } from "node:zlib";
import { packageFileKind, type PackageFileKind } from "./package-files.js";

/** A file or a symbolic link that says something about what an image consists of. */
export interface BillFile {
  /** Of a regular file. */
  readonly content?: Uint8Array;
  /** Of a symbolic link. */
  readonly target?: string;
}

/** By path from the root. */
export type BillFiles = ReadonlyMap<string, BillFile>;

const OS_RELEASE: ReadonlySet<string> = new Set(["/etc/os-release", "/usr/lib/os-release"]);
const DOC = "/usr/share/doc/";
const COPYRIGHT = /^\/usr\/share\/doc\/([^/]+)\/copyright$/;
const COPYRIGHT_LINK = /^\/usr\/share\/doc\/[^/]+(?:\/copyright)?$/;

/** Headers that tell the version of an interpreter that was not installed as a package. */
const PYTHON_HEADER = /\/include\/python3[^/]*\/patchlevel\.h$/;
const NODE_HEADER = /\/include\/node\/node_version\.h$/;

export type BillFileKind = "os release" | "copyright" | "python header" | "node header";

/** Of package databases, what says which packages there are, and not which files they have. */
const PACKAGE_KINDS: ReadonlySet<PackageFileKind | undefined> = new Set([
  "dpkg status",
  "apk installed",
  "python metadata",
  "node package",
] as const);

/** What a file says about an image besides its package databases, by its path from the root. */
export function billFileKind(path: string): BillFileKind | undefined {
  if (OS_RELEASE.has(path)) return "os release";
  if (path.startsWith(DOC)) return COPYRIGHT.test(path) ? "copyright" : undefined;
  if (!path.endsWith(".h")) return undefined;
  if (PYTHON_HEADER.test(path)) return "python header";
  return NODE_HEADER.test(path) ? "node header" : undefined;
}

/** Whether a bill of materials needs a file's content. */
export function isBillFile(path: string): boolean {
  return PACKAGE_KINDS.has(packageFileKind(path)) || billFileKind(path) !== undefined;
}

/** Whether a bill of materials needs a symbolic link's target: packages share documentation. */
export function isBillLink(path: string): boolean {
  return path.startsWith(DOC) && COPYRIGHT_LINK.test(path);
}

type Packed = readonly [path: string, content: string | null, target?: string];

/** As one text, to be passed between programs. */
export function packBillFiles(files: BillFiles): string {
  const entries = [...files].map(([path, { content, target }]): Packed => {
    const text = content === undefined ? null : Buffer.from(content).toString("latin1");
    return target === undefined ? [path, text] : [path, text, target];
  });
  return gzipSync(JSON.stringify(entries), { level: 1 }).toString("base64");
}

/** @param text of {@link packBillFiles} */
export function unpackBillFiles(text: string): BillFiles {
  const entries = JSON.parse(gunzipSync(Buffer.from(text, "base64")).toString("utf8")) as readonly Packed[];
  return new Map(
    entries.map(([path, content, target]) => [
      path,
      {
        ...(content === null ? {} : { content: Buffer.from(content, "latin1") }),
        ...(target === undefined ? {} : { target }),
      },
    ]),
  );
}
