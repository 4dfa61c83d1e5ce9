import { setTimeout as delay } from "node:timers/promises";
import { TAG_READ_LAG_MS } from "./manifests.js";
import type { Repository } from "./push-blobs-and-manifests.js";

/** A tag, and the manifest that it gets, which is in the repository by its digest. */
export interface TagToPut {
  readonly tag: string;
  readonly digest: string;
  /** The digest that the tag is known to have; undefined for a new tag. */
  readonly before: string | undefined;
  /** Called when it is sure that the tag is written. */
  readonly read: () => Promise<{ readonly mediaType: string; readonly bytes: Uint8Array }>;
}

/** What became of the tag. `present` is the digest that it has, if it has one. */
export type TagPut =
  | { readonly state: "written" }
  /** Right before the write, it had another digest than before: nothing was written. */
  | { readonly state: "moved"; readonly present: string | undefined }
  /** After the write, it has neither this digest nor the one before: somebody else wrote it as well. */
  | { readonly state: "overwritten"; readonly present: string }
  /** After the write, the registry still returns what was there before. */
  | { readonly state: "stale"; readonly present: string | undefined };

/**
 * Writes a tag, and reads it right before and after: registries have no compare-and-swap, and some return an old tag
 * for a while.
 * @param sleep waits for milliseconds
 * @throws TgoError as Registry does
 */
export async function putTag(
  { registry, repository }: Repository,
  { tag, digest, before, read }: TagToPut,
  sleep: (milliseconds: number) => Promise<unknown> = delay,
): Promise<TagPut> {
  const resolve = async (): Promise<string | undefined> =>
    (await registry.resolve(repository, tag, { push: true }))?.digest;
  const found = await resolve();
  if (found === digest) return { state: "written" };
  if (found !== before) return { state: "moved", present: found };
  const { mediaType, bytes } = await read();
  await registry.putManifest(repository, tag, mediaType, bytes);
  let present = await resolve();
  for (const lag of TAG_READ_LAG_MS) {
    if (present !== undefined && present !== before) break;
    await sleep(lag);
    present = await resolve();
  }
  if (present === digest) return { state: "written" };
  if (present === undefined || present === before) return { state: "stale", present };
  return { state: "overwritten", present };
}
