import { foreseenProblem } from "@tgo/errors";
import { copyImage, copyReferrers, isIndex, type Descriptor } from "@tgo/registry";
import type { TargetContext } from "../targets/publish-context.js";
import { artifactConfig, repositoryOf, type Target } from "../targets/target.js";
import type { FoundImage } from "./image-lookup.js";
import type { ImageSource } from "./image-transfer.js";

/**
 * A source that copies a found image from its registry by digest, with what refers to it.
 * @param named the tag to put it under, if any
 */
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
      await carryReferrers(context, service, { from, to, digest });
      return { digest, uploaded: uploaded.bytes };
    },
  };
}

/** What cannot be carried along never fails the image: verification says what is missing where. */
async function carryReferrers(
  context: TargetContext,
  service: string,
  { from, to, digest }: { readonly from: Target; readonly to: Target; readonly digest: string },
): Promise<void> {
  if (to.registry.referrers === false || from === to) return;
  const source = { registry: from.client, repository: repositoryOf(from, service) };
  const names = { step: "copy", service, registry: to.name };
  try {
    const { descriptor, value } = await from.client.manifest(source.repository, digest);
    const subjects: Descriptor[] = [descriptor, ...(isIndex(value) ? value.manifests : [])];
    const counts = await Promise.all(
      subjects.map((subject) =>
        copyReferrers({
          from: source,
          to: { registry: to.client, repository: repositoryOf(to, service) },
          subject,
          config: artifactConfig(to.registry),
        }),
      ),
    );
    const count = counts.reduce((sum, one) => sum + one, 0);
    if (count > 0) context.progress.note(names, `${count} referrers of ${from.name} copied`);
  } catch (error) {
    context.progress.note(names, `referrers could not be copied: ${foreseenProblem(error).what}`);
  }
}
