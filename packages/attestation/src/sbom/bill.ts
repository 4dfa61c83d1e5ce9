/** What an image of one platform consists of: the facts that both formats of bills of materials are written from. */
export interface Bill {
  readonly subject: BillSubject;
  /** Of /etc/os-release; undefined for an image without a distribution. */
  readonly distribution: Distribution | undefined;
  /** By package URL, each once. */
  readonly components: readonly Component[];
}

/** The image that a bill is about. */
export interface BillSubject {
  /** "tgo-api": a name, without a registry, as the same image is in several. */
  readonly name: string;
  /** Of the platform's manifest: `sha256:` and 64 hex digits. */
  readonly digest: string;
  /** "linux/arm64" */
  readonly platform: string;
  /** The image's version, if it has one. */
  readonly version: string | undefined;
  /** The config's time, RFC 3339 in whole seconds; undefined where it has none. */
  readonly created: string | undefined;
}

/** @see https://www.freedesktop.org/software/systemd/man/latest/os-release.html */
export interface Distribution {
  /** "debian" */
  readonly id: string;
  /** "12" */
  readonly versionId: string;
  /** "Debian GNU/Linux 12 (bookworm)" */
  readonly prettyName: string;
}

export interface Component {
  readonly name: string;
  /** "" when the package gives none. */
  readonly version: string;
  /** @see https://github.com/package-url/purl-spec */
  readonly purl: string;
  /** For programs that advisories name by CPE only. */
  readonly cpe?: string;
  readonly license: License | undefined;
  /** Of the package as its registry has it, where a lock says so. */
  readonly hashes: readonly Hash[];
  /** Where it was found: databases, folders, headers, or the name of a lock; sorted. */
  readonly locations: readonly string[];
}

/** A licence as the package declares it: an SPDX expression, or names that SPDX does not know. */
export type License = { readonly expression: string } | { readonly names: readonly string[] };

export interface Hash {
  readonly algorithm: "SHA-1" | "SHA-256" | "SHA-384" | "SHA-512";
  /** In hex. */
  readonly value: string;
}

/** A package of a lock file that becomes part of compiled files, which no database in the image lists. */
export interface LockedPackage {
  readonly name: string;
  readonly version: string;
  /** Name of the lock file. */
  readonly lock: string;
  /** As in the lock: `sha512-` and base64; several with spaces between. */
  readonly integrity?: string;
  readonly license?: string;
}
