import { packageFileKind } from "@tgo/image";

const OS_RELEASE: ReadonlySet<string> = new Set(["/etc/os-release", "/usr/lib/os-release"]);
const COPYRIGHT = /^\/usr\/share\/doc\/([^/]+)\/copyright$/;

/** Headers that tell the version of an interpreter that was not installed as a package. */
const PYTHON_HEADER = /\/include\/python3[^/]*\/patchlevel\.h$/;
const NODE_HEADER = /\/include\/node\/node_version\.h$/;

export type BillFileKind = "os release" | "copyright" | "python header" | "node header";

/** What a file says about an image besides its package databases, by its path from the root. */
export function billFileKind(path: string): BillFileKind | undefined {
  if (OS_RELEASE.has(path)) return "os release";
  if (path.startsWith("/usr/share/doc/")) return COPYRIGHT.test(path) ? "copyright" : undefined;
  if (!path.endsWith(".h")) return undefined;
  if (PYTHON_HEADER.test(path)) return "python header";
  return NODE_HEADER.test(path) ? "node header" : undefined;
}

/** Whether a bill of materials needs a file's content. */
export function isBillFile(path: string): boolean {
  return packageFileKind(path) !== undefined || billFileKind(path) !== undefined;
}
