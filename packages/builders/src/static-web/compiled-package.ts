/** A package of a lock file that can be part of the built pages. */
export interface CompiledPackage {
  readonly name: string;
  readonly version: string;
  /** Name of the lock file. */
  readonly lock: string;
  /** As in the lock: `sha512-` and base64. */
  readonly integrity?: string;
  /** As in the lock; only npm's has it. */
  readonly license?: string;
}
