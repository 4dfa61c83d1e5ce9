/** Which package manager installed it. */
export type PackageKind = "dpkg" | "apk" | "python" | "node";

/** A package that an image's own package databases list. A plain object: a worker can send it. */
export interface InstalledPackage {
  readonly kind: PackageKind;
  /** As its package manager compares names; Python's as PEP 503 normalizes them. */
  readonly name: string;
  /** As written; "" when it gives none, as some package.json do. */
  readonly version: string;
  /** By its package manager's words: "arm64" (dpkg), "aarch64" (apk), "all", "noarch"; Python and Node give none. */
  readonly architecture?: string;
  /** Licences as its metadata states them: SPDX expressions, names or classifiers. Debian's are in files of their own. */
  readonly licenses?: readonly string[];
  /** The source package that it was built from, where the database names one: advisories are about these. */
  readonly source?: { readonly name: string; readonly version: string };
  /** Where it is listed: the database, or for Python and Node the folder it is in. From the image's root. */
  readonly location: string;
  /** What it installed, from the image's root, as far as the database lists it; Node packages own their folder. */
  readonly files?: readonly string[];
}

/** Names and versions are shown in terminals, and no package manager accepts longer ones. */
const MAX_TEXT = 256;

/** Whether a database's text can be a name or a version. */
export function isWord(text: string | undefined): text is string {
  return text !== undefined && text !== "" && text.length <= MAX_TEXT && /^[^\s\p{C}]+$/u.test(text);
}

/** Whether a database's text can be a licence: words, shorter than a licence's own text. */
export function isLicense(text: string | undefined): text is string {
  return text !== undefined && text !== "" && text.length <= MAX_TEXT && /^\P{C}+$/u.test(text);
}

/** "libpq5 15.8 (dpkg)" */
export function packageText({ kind, name, version }: InstalledPackage): string {
  return `${[name, version].filter((word) => word !== "").join(" ")} (${kind})`;
}
