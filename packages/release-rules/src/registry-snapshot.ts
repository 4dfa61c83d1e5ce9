import type { TagTarget } from "./tag-target.js";

/** What one registry was seen to hold of one service. */
export interface RegistrySnapshot {
  readonly service: string;
  readonly registry: string;
  readonly contents: SnapshotContents;
}

export type SnapshotContents =
  | {
      readonly state: "seen";
      /** Of a release: at least the planned tags, the candidate's, and every version's. Of a status: all. */
      readonly tags: ReadonlyMap<string, TagTarget>;
    }
  | { readonly state: "unreachable"; readonly why: string };

/** The sight of one service in one registry. What was not looked at is not known to be absent. */
export function snapshotOf(
  sights: readonly RegistrySnapshot[],
  service: string,
  registry: string,
): SnapshotContents {
  const found = sights.find((sight) => sight.service === service && sight.registry === registry);
  return found?.contents ?? { state: "unreachable", why: "it was not asked" };
}
