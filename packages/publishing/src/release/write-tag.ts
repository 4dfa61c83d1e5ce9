import { setTimeout as delay } from "node:timers/promises";
import { isTgoError, TgoError } from "@tgo/errors";
import { TAG_READ_LAG_MS } from "@tgo/registry";
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
 * Puts an index that is already in the repository under a tag; uploads nothing else. The tag is read right before and
 * after the write, because registries have no compare-and-swap.
 * @throws TgoError as Registry does; UNAVAILABLE when the registry does not return what was written
 */
export async function writeTag(
  target: Target,
  step: TagStep,
  options: TagWriteOptions,
): Promise<TagWriteResult> {
  const { service, tag, digest, before } = step;
  const { client } = target;
  const repository = repositoryOf(target, service);
  const present = await client.resolve(repository, tag, { push: true });
  if (present?.digest === digest) return { state: "written" };
  if (present?.digest !== before?.digest) {
    const change = present === undefined ? "removed" : `moved to ${present.digest}`;
    const message = `${tag}: it was ${change} right before the write`;
    const remedy = "Another run writes this tag. When it has finished, run the same command again.";
    const where = referenceOf(target, service, tag);
    return { state: "race lost", message, error: new TgoError("CONFLICT", message, { where, remedy }) };
  }
  const { bytes, descriptor } = await options.indexes.read(target, service, digest);
  try {
    await client.putManifest(repository, tag, descriptor.mediaType, bytes);
  } catch (error) {
    throw isTgoError(error) && error.code === "INVALID_RESPONSE" ? withTagRemedy(error, step) : error;
  }
  return confirmWrite(target, step, options);
}

/** The registry may now have the tag with other bytes than it was sent, and a version's tag is never overwritten. */
function withTagRemedy({ code, what, where, remedy = "" }: TgoError, { tag, phase }: TagStep): TgoError {
  const next =
    phase === "version"
      ? `If ${tag} is there now, remove it there; then run the same command again.`
      : `Then run the same command again, with --adopt-latest if ${tag} is there now.`;
  return new TgoError(code, what, { ...defined({ where }), remedy: `${remedy}\n${next}`.trim() });
}

async function confirmWrite(
  target: Target,
  step: TagStep,
  { indexes, sleep = delay }: TagWriteOptions,
): Promise<TagWriteResult> {
  const { service, tag, digest, version, before } = step;
  const where = referenceOf(target, service, tag);
  for (const lag of [...TAG_READ_LAG_MS, undefined]) {
    const seen = await readTarget(target, step, indexes);
    const after = afterWrite({ tag, wrote: { digest, version }, before, seen, where });
    if (after.state === "ok") return { state: "written" };
    if (after.state === "overwritten") {
      if (after.relation === "newer") return { state: "race lost", message: after.message };
      return { state: "race lost", message: `${tag}: ${after.error.what}`, error: after.error };
    }
    if (lag === undefined) throw after.error;
    await sleep(lag);
  }
  throw new TgoError("INTERNAL", "the tag was read too often after the write", { where });
}

async function readTarget(
  target: Target,
  { service, tag, digest }: TagStep,
  indexes: IndexCache,
): Promise<TagTarget | undefined> {
  const found = await target.client.resolve(repositoryOf(target, service), tag, { push: true });
  if (found === undefined) return undefined;
  if (found.digest === digest) return { digest, version: undefined };
  const { version } = await indexes.identity(target, service, found.digest).catch((error: unknown) => {
    if (isTgoError(error) && error.code === "INTERRUPTED") throw error;
    return { version: undefined };
  });
  return { digest: found.digest, version: version === undefined ? undefined : readVersion(version) };
}
