import type { TagTarget } from "./tag-target.js";

/** The tags of one service in one registry, as last read. */
export interface RegistrySnapshot {
  readonly service: string;
  readonly registry: string;
  readonly contents: SnapshotContents;
}

export type SnapshotContents =
  | {
      readonly state: "seen";
      /** For a release: at least the planned tags, the candidate's, and every version's. For a status: all tags. */
      readonly tags: ReadonlyMap<string, TagTarget>;
    }
  | { readonly state: "unreachable"; readonly why: string };

/** The contents of one service's repository in one registry. A registry without a snapshot counts as unreachable. */
export function snapshotOf(
  snapshots: readonly RegistrySnapshot[],
  service: string,
  registry: string,
): SnapshotContents {
  const found = snapshots.find((each) => each.service === service && each.registry === registry);
  return found?.contents ?? { state: "unreachable", why: "it was not queried" };
}
