import { copyImage } from "@tgo/registry";
import { repositoryOf, type Target } from "../targets/target.js";
import type { TargetContext } from "../targets/publish-context.js";

/**
 * Copies an image from registry to registry, and looks for every part of it: what is there did not pass as a whole, or
 * was never tagged.
 * @returns bytes sent
 */
export async function copyByDigest(
  context: TargetContext,
  of: {
    readonly from: Target;
    readonly to: Target;
    readonly service: string;
    readonly digest: string;
    readonly tag: string;
  },
): Promise<number> {
  const { from, to, service, digest, tag } = of;
  const copied = await context.progress.step({ step: "copy", service, registry: to.name }, () =>
    copyImage({
      from: { registry: from.client, repository: repositoryOf(from, service) },
      to: { registry: to.client, repository: repositoryOf(to, service) },
      digest,
      tag,
      thorough: true,
    }),
  );
  return copied.uploaded.bytes;
}
