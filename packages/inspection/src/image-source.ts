import { TgoError } from "@tgo/errors";
import { address, type FetchedManifest, type Registry } from "@tgo/registry";

/** An image that somebody named. */
export interface ImageSource {
  readonly registry: Registry;
  readonly repository: string;
  /** A tag, or a digest. */
  readonly wanted: string;
  /** What the tag must have, if the reference names a digest beside it. */
  readonly digest?: string;
}

/** `host/repository:tag`, or `host/repository@digest`. */
export function nameOf({ registry, repository, wanted }: ImageSource): string {
  return address(registry, repository, wanted);
}

/**
 * The index or manifest under a reference.
 * @throws TgoError as Registry does; VERIFY when the tag has another digest than the reference names
 */
export async function readSource(source: ImageSource): Promise<FetchedManifest> {
  const found = await source.registry.manifest(source.repository, source.wanted);
  if (source.digest === undefined || source.digest === found.descriptor.digest) return found;
  throw new TgoError("VERIFY", `the tag is ${found.descriptor.digest}, not ${source.digest}`, {
    where: nameOf(source),
    remedy: "The tag was moved. Leave out the tag to read the image by its digest.",
  });
}
