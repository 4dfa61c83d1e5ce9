/** Everything that decides an image's bytes: what a candidate's key hashes, in full. */
export interface BuildInputs {
  readonly service: string;
  /** The part of the service's definition that its image is built from. */
  readonly definition: unknown;
  readonly platforms: readonly string[];
  readonly source: BuildSource;
  /** Digests of the base images, by reference. */
  readonly bases: Readonly<Record<string, string>>;
  /** Build values by name. */
  readonly values: Readonly<Record<string, string>>;
  readonly version: string | undefined;
  /** Hash of the code that decides an image's bytes. */
  readonly buildHash: string;
  /** The candidate's key, which is a hash of all this. */
  readonly key: string;
}

export interface BuildSource {
  /** URL of the git repository. */
  readonly repository: string;
  /** The service's folder in it. */
  readonly path: string;
  /** A commit, or `dev-` and a hash. */
  readonly revision: string;
  /** Hash of the files that the build sees, 64 hex digits. */
  readonly hash: string;
  /** RFC 3339. */
  readonly created: string;
  /** Digests of the lock files, `sha256:` and hex, by name. */
  readonly locks: Readonly<Record<string, string>>;
}
