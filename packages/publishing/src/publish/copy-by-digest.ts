import { copyImage } from "@tgo/registry";
import type { TargetContext } from "../targets/publish-context.js";
import { repositoryOf } from "../targets/target.js";
import type { FoundImage } from "./image-lookup.js";
import type { ImageSource } from "./image-transfer.js";

/** A source that copies a found image from its registry by digest. @param named the tag to put it under, if any */
export function copyByDigest(
  context: TargetContext,
  service: string,
  { from, digest }: FoundImage,
  named: { readonly tag?: string },
): ImageSource {
  return {
    digest,
    ...named,
    put: async (to) => {
      const { uploaded } = await context.progress.step(
        { step: "copy", service, registry: to.name },
        (update) =>
          copyImage({
            from: { registry: from.client, repository: repositoryOf(from, service) },
            to: { registry: to.client, repository: repositoryOf(to, service) },
            digest,
            ...named,
            // What the registry already has failed verification, or was never tagged: check every part of it.
            thorough: true,
            onBytes: (done, total) => {
              update({ what: "layers", done, total, unit: "bytes" });
            },
          }),
      );
      return { digest, uploaded: uploaded.bytes };
    },
  };
}
