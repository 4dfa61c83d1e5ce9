import { imageLabels, standardLabels } from "@tgo/builders";
import type { Platform } from "@tgo/catalog";
import { TgoError, type Problem } from "@tgo/errors";
import { isFinalIndex } from "@tgo/image";
import { CANDIDATE_ANNOTATION } from "../candidate/annotations.js";
import { inputsKey, variantTag } from "../candidate/candidate-key.js";
import type { Prepared } from "../candidate/prepared.js";
import { ImageLookup, type FoundImage, type ImageQuery } from "../publish/image-lookup.js";
import { RegistryRows } from "../publish/registry-rows.js";
import type { TargetContext } from "../targets/publish-context.js";
import { referenceOf, repositoryOf, type Target } from "../targets/target.js";

/** One platform's image, built alone: an index with one entry. */
export interface FoundVariant {
  readonly platform: Platform;
  readonly image: FoundImage;
  /** Digest of its manifest: that of the platform in the assembled image. */
  readonly manifest: string;
  /** The candidate's key, with a suffix if packages were compiled. */
  readonly key: string;
}

/** What a registry has of a candidate's platforms. */
export interface FoundVariants {
  readonly target: Target;
  readonly variants: readonly FoundVariant[];
  /** Why the registry, or an image in it, could not be read. */
  readonly problems: readonly Problem[];
}

/** How one platform's image is recognized. Its annotations also say how packages were compiled, so they are checked later. */
export function variantQuery({ key, request }: Prepared, platform: Platform): ImageQuery {
  return {
    service: request.name,
    tags: [variantTag(key, platform)],
    version: undefined,
    immutable: false,
    // An assembly that waits for the tag needs the proof.
    tagAfterAttesting: true,
    labels: imageLabels(request),
  };
}

/** What each registry has of a candidate's platforms. Never throws for a registry's failure. */
export function findVariants(context: TargetContext, prepared: Prepared): Promise<FoundVariants[]> {
  return Promise.all(
    context.targets.map(async (target) => {
      const found = await Promise.all(
        context.platforms.map((platform) => findVariant(context, { target, platform }, prepared)),
      );
      return {
        target,
        variants: found.flatMap((each) => ("image" in each ? [each] : [])),
        problems: found.flatMap((each) => ("problems" in each ? each.problems : [])),
      };
    }),
  );
}

async function findVariant(
  context: TargetContext,
  { target, platform }: { readonly target: Target; readonly platform: Platform },
  prepared: Prepared,
): Promise<FoundVariant | { readonly problems: readonly Problem[] }> {
  const { name } = prepared.request;
  const query = variantQuery(prepared, platform);
  const [tag] = query.tags;
  const alone = { ...context, targets: [target], platforms: [platform] };
  const rows = new RegistryRows(alone, name, tag);
  const lookup = new ImageLookup(alone, query, rows);
  const tagged = await lookup.resolve(target);
  if (tagged === undefined) return { problems: rows.of(target).problems };
  const { digest } = tagged;
  const where = referenceOf(target, name, tag);
  try {
    const verification = await lookup.verify([target], tag, digest, { quiet: true });
    const [result] = verification.targets;
    const [variant] = verification.variants;
    if (result?.state !== "verified" || variant === undefined) return { problems: result?.problems ?? [] };
    const index = await target.client.manifest(repositoryOf(target, name), digest, { push: true });
    const key = index.value.annotations?.[CANDIDATE_ANNOTATION] ?? "";
    const annotations = { ...standardLabels(prepared.request), [CANDIDATE_ANNOTATION]: key };
    if (inputsKey(key) !== prepared.key || !isFinalIndex(index, annotations))
      throw new TgoError("VERIFY", `${tag} is not an image that build-variant made for this candidate`, {
        where,
        remedy: "Find out who pushed it, remove the tag, and build the platform again.",
      });
    return { platform, image: { from: target, digest, verification }, manifest: variant.digest, key };
  } catch (error) {
    rows.fail(target, error, performance.now());
    return { problems: rows.of(target).problems };
  }
}
