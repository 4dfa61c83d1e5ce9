import { isTgoError } from "@tgo/errors";
import { repositoryOf, type Target } from "../targets/target.js";

/**
 * Deletes an image's index, and what refers to it first: signatures of an image that is gone would stay for ever. A list
 * is a claim: only artifacts that name the image as their subject are deleted.
 * @throws TgoError when the registry does not delete; what is left is complete, and the same call again continues
 */
export async function removeImage(target: Target, service: string, digest: string): Promise<void> {
  const { client } = target;
  const repository = repositoryOf(target, service);
  const { source, entries } = await client.referrers(repository, digest);
  const own: string[] = [];
  for (const entry of entries) {
    const found = await client.manifest(repository, entry.digest, { push: true }).catch(absent);
    if (found?.value.subject?.digest === digest) own.push(entry.digest);
  }
  for (const artifact of own) await client.deleteManifest(repository, artifact).catch(absent);
  await client.deleteManifest(repository, digest);
  // A list with artifacts of other subjects is something else.
  if (source !== "tag" || own.length === 0 || own.length < entries.length) return;
  const list = await client.resolve(repository, digest.replace(":", "-"), { push: true });
  if (list !== undefined) await client.deleteManifest(repository, list.digest).catch(absent);
}

/** @throws every error but that it is not there */
function absent(error: unknown): undefined {
  if (isTgoError(error) && error.code === "NOT_FOUND") return undefined;
  throw error;
}
