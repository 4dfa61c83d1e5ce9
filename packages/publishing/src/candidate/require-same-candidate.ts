import { TgoError } from "@tgo/errors";
import { OTHER_CONTENT_REMEDY } from "@tgo/release-rules";
import { referenceOf, repositoryOf, type Target } from "../targets/target.js";
import { CANDIDATE_ANNOTATION } from "./annotations.js";
import { candidateTag, inputsKey } from "./candidate-key.js";

/**
 * A candidate of the same inputs whose packages were compiled in another way counts as the same here: the digests tell.
 * @throws TgoError CONFLICT when the version's tag points to another candidate
 */
export async function requireSameCandidate(
  target: Target,
  { service, version, key }: { readonly service: string; readonly version: string; readonly key: string },
  found: { readonly tag: string; readonly digest: string },
): Promise<void> {
  const repository = repositoryOf(target, service);
  const { value } = await target.client.manifest(repository, found.digest, { push: true });
  const other = value.annotations?.[CANDIDATE_ANNOTATION];
  if (other !== undefined && inputsKey(other) === inputsKey(key)) return;
  throw new TgoError(
    "CONFLICT",
    `${version} already exists with other content (${other === undefined ? "not a candidate" : candidateTag(other)})`,
    {
      where: referenceOf(target, service, found.tag),
      remedy: `A version's tag never changes. ${OTHER_CONTENT_REMEDY}`,
    },
  );
}
