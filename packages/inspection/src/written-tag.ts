import { TgoError, type Problem } from "@tgo/errors";
import { address, type Registry } from "@tgo/registry";
import { readVersion } from "@tgo/release-rules";

/** A tag that gets an image. */
export interface TagToWrite {
  readonly registry: Registry;
  readonly repository: string;
  readonly tag: string;
}

/** What became of it. JSON of this shape is part of the interface of `combine` and `import`. */
export interface WrittenTag {
  /** `host/repository:tag` */
  readonly reference: string;
  /** "planned" in a dry run. */
  readonly state: "done" | "already there" | "planned" | "failed";
  /** What the tag has or had, if that is another image. */
  readonly before?: string;
  /** Bytes of layers and configs that were sent. */
  readonly uploaded?: number;
  /** Blobs that the registry took from another of its repositories. */
  readonly mounted?: number;
  readonly problem?: Problem;
}

/**
 * What the tag has now.
 * @param digest of the image that it is to get
 * @throws TgoError CONFLICT when it has another image and must not move
 */
export async function checkTag(
  { registry, repository, tag }: TagToWrite,
  digest: string,
  { move = false }: { readonly move?: boolean },
): Promise<string | undefined> {
  const present = (await registry.resolve(repository, tag, { push: true }))?.digest;
  if (present === undefined || present === digest) return present;
  const where = address(registry, repository, tag);
  if (readVersion(tag) !== undefined)
    throw new TgoError(
      "CONFLICT",
      `the tag has another image (${present}), and a version's tag never changes`,
      { where, remedy: "Choose the tag of the next version." },
    );
  if (!move)
    throw new TgoError("CONFLICT", `the tag has another image: ${present}`, {
      where,
      remedy: "Choose another tag, or move this one with --adopt-latest.",
    });
  return present;
}
