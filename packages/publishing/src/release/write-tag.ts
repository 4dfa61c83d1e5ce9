import { isTgoError, TgoError } from "@tgo/errors";
import { putTag } from "@tgo/registry";
import { afterWrite, readVersion, type TagStep, type TagTarget } from "@tgo/release-rules";
import { defined } from "@tgo/report";
import { referenceOf, repositoryOf, type Target } from "../targets/target.js";
import type { IndexCache } from "./index-cache.js";

export type TagWriteResult =
  | { readonly state: "written" }
  /**
   * Another run changed the tag as well, so the step must be decided again. The error is for a race lost again; it is
   * absent if a newer version has the tag.
   */
  | { readonly state: "race lost"; readonly message: string; readonly error?: TgoError };

export interface TagWriteOptions {
  readonly indexes: IndexCache;
  /** Waits for milliseconds; for tests. */
  readonly sleep?: (milliseconds: number) => Promise<unknown>;
}

/**
 * Puts an index that is already in the repository under a tag; uploads nothing else.
 * @throws TgoError as Registry does; UNAVAILABLE when the registry does not return what was written
 */
export async function writeTag(
  target: Target,
  step: TagStep,
  options: TagWriteOptions,
): Promise<TagWriteResult> {
  const { service, tag, digest, version, before } = step;
  const { indexes, sleep } = options;
  const where = referenceOf(target, service, tag);
  let isSent = false;
  const read = async (): Promise<{ mediaType: string; bytes: Uint8Array }> => {
    const { bytes, descriptor } = await indexes.read(target, service, digest);
    isSent = true;
    return { mediaType: descriptor.mediaType, bytes };
  };
  const to = { registry: target.client, repository: repositoryOf(target, service) };
  const put = await putTag(to, { tag, digest, before: before?.digest, read }, sleep).catch(
    (error: unknown) => {
      throw isSent && isTgoError(error) && error.code === "INVALID_RESPONSE"
        ? withTagRemedy(error, step)
        : error;
    },
  );
  if (put.state === "written") return { state: "written" };
  if (put.state === "moved") {
    const change = put.present === undefined ? "removed" : `moved to ${put.present}`;
    const message = `${tag}: it was ${change} right before the write`;
    const remedy = "Another run writes this tag. When it has finished, run the same command again.";
    return { state: "race lost", message, error: new TgoError("CONFLICT", message, { where, remedy }) };
  }
  const seen = await tagTarget(target, service, put.present, indexes);
  const after = afterWrite({ tag, wrote: { digest, version }, before, seen, where });
  if (after.state === "ok") return { state: "written" };
  if (after.state === "stale") throw after.error;
  if (after.relation === "newer") return { state: "race lost", message: after.message };
  return { state: "race lost", message: `${tag}: ${after.error.what}`, error: after.error };
}

/** The registry may now have the tag with other bytes than it was sent, and a version's tag is never overwritten. */
function withTagRemedy({ code, what, where, remedy = "" }: TgoError, { tag, phase }: TagStep): TgoError {
  const next =
    phase === "version"
      ? `If ${tag} is there now, remove it there; then run the same command again.`
      : `Then run the same command again, with --adopt-latest if ${tag} is there now.`;
  return new TgoError(code, what, { ...defined({ where }), remedy: `${remedy}\n${next}`.trim() });
}

/** What a tag with this digest points to. */
async function tagTarget(
  target: Target,
  service: string,
  digest: string | undefined,
  indexes: IndexCache,
): Promise<TagTarget | undefined> {
  if (digest === undefined) return undefined;
  const { version } = await indexes.identity(target, service, digest).catch((error: unknown) => {
    if (isTgoError(error) && error.code === "INTERRUPTED") throw error;
    return { version: undefined };
  });
  return { digest, version: version === undefined ? undefined : readVersion(version) };
}
