import { TgoError } from "@tgo/errors";
import { referenceOf, repositoryOf, type Target } from "../targets/target.js";
import { CANDIDATE_ANNOTATION } from "./annotations.js";
import { candidateTag } from "./candidate-key.js";

/** @throws TgoError CONFLICT when the version's tag has another candidate than this one */
export async function requireSameCandidate(
  target: Target,
  { service, version, key }: { readonly service: string; readonly version: string; readonly key: string },
  found: { readonly tag: string; readonly digest: string },
): Promise<void> {
  const repository = repositoryOf(target, service);
  const { value } = await target.client.manifest(repository, found.digest, { push: true });
  const other = value.annotations?.[CANDIDATE_ANNOTATION];
  if (other === key) return;
  throw new TgoError(
    "CONFLICT",
    `${version} is there already, made of something else (${other === undefined ? "no candidate" : candidateTag(other)})`,
    {
      where: referenceOf(target, service, found.tag),
      remedy:
        "A version's tag never changes. Release these bytes as the next version; to finish the version that is there, " +
        "give the source and the pipelines it was made of: its image names the commit.",
    },
  );
}
