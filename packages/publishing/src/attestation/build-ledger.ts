import type { BillFiles } from "@tgo/image";
import type { Prepared } from "../candidate/prepared.js";

/**
 * What this run knows about the images it publishes. Statements are made only of what it knows itself: a bill of
 * materials needs the source, for the packages that are compiled into pages; provenance is said by the run that built.
 */
export class BuildLedger {
  readonly #prepared = new Map<string, Prepared>();
  readonly #built = new Set<string>();
  readonly #files = new Map<string, BillFiles>();

  /** Remembers what a candidate is made from. */
  addCandidate(prepared: Prepared): void {
    this.#prepared.set(prepared.key, prepared);
  }

  /** @param digest of the index that this run built */
  addBuilt(digest: string): void {
    this.#built.add(digest);
  }

  /**
   * Remembers what the check of a variant read: its layers need not be unpacked again for a bill of materials.
   * @param digest of the variant's manifest
   */
  addFiles(digest: string, files: BillFiles): void {
    this.#files.set(digest, files);
  }

  /** @param digest of the variant's manifest */
  files(digest: string): BillFiles | undefined {
    return this.#files.get(digest);
  }

  /** @param key the candidate's */
  candidate(key: string): Prepared | undefined {
    return this.#prepared.get(key);
  }

  hasBuilt(digest: string): boolean {
    return this.#built.has(digest);
  }
}
