import { setTimeout as delay } from "node:timers/promises";
import { isTgoError, TgoError } from "@tgo/errors";
import { afterWrite, readVersion, type TagTarget, type TagStep } from "@tgo/release-rules";
import { defined } from "@tgo/report";
import { referenceOf, repositoryOf, type Target } from "../targets/target.js";
import type { IndexCache } from "./read-tags.js";

/** How a write of one tag ended. */
export type TagWriteResult =
  | { readonly state: "done" }
  /**
   * Somebody else wrote it after the look: what to do is to be decided anew. The error is for whom that happens again;
   * where a newer version has the tag, there is none.
   */
  | { readonly state: "overtaken"; readonly told: string; readonly error?: TgoError };

export interface TagWriteOptions {
  readonly indexes: IndexCache;
  /** Waits, in milliseconds. */
  readonly sleep?: (milliseconds: number) => Promise<unknown>;
}

/** Registries were seen to answer the old manifest for some seconds after they had taken the new one. */
const READ_LAG_MS = [250, 1000, 2000, 4000, 8000] as const;

/**
 * Puts the index that is already in the repository under a tag: no upload. What is there is read again before and
 * after, because registries know no compare-and-swap.
 * @throws TgoError as the registry client does; UNAVAILABLE when what was written does not show
 */
export async function writeTag(
  target: Target,
  step: TagStep,
  writer: TagWriteOptions,
): Promise<TagWriteResult> {
  const { service, tag, digest, before } = step;
  const { client } = target;
  const repository = repositoryOf(target, service);
  const present = await client.resolve(repository, tag, { push: true });
  if (present?.digest === digest) return { state: "done" };
  if (present?.digest !== before?.digest) {
    const now = present === undefined ? "taken away" : `moved to ${present.digest}`;
    const told = `${tag}: it was ${now} between the look and the write`;
    const remedy = "Somebody else writes this tag. When they have ended, run the same command again.";
    const where = referenceOf(target, service, tag);
    return { state: "overtaken", told, error: new TgoError("CONFLICT", told, { where, remedy }) };
  }
  const { bytes, descriptor } = await writer.indexes.read(target, service, digest);
  try {
    await client.putManifest(repository, tag, descriptor.mediaType, bytes);
  } catch (error) {
    throw isTgoError(error) && error.code === "INVALID_RESPONSE" ? withWayOut(error, step) : error;
  }
  return confirm(target, step, writer);
}

/** The registry may have taken the tag and keep other bytes under it than it was sent: nobody may write over a version. */
function withWayOut({ code, what, where, remedy = "" }: TgoError, { tag, phase }: TagStep): TgoError {
  const way =
    phase === "version"
      ? `If ${tag} is there now, remove it there; then run the same command again.`
      : `Then run the same command again, with --adopt-latest if ${tag} is there now.`;
  return new TgoError(code, what, { ...defined({ where }), remedy: `${remedy}\n${way}`.trim() });
}

async function confirm(
  target: Target,
  step: TagStep,
  { indexes, sleep = delay }: TagWriteOptions,
): Promise<TagWriteResult> {
  const { service, tag, digest, version, before } = step;
  const where = referenceOf(target, service, tag);
  for (const lag of [...READ_LAG_MS, undefined]) {
    const seen = await seenNow(target, step, indexes);
    const after = afterWrite({ tag, wrote: { digest, version }, before, seen, where });
    if (after.state === "ok") return { state: "done" };
    if (after.state === "overwritten") {
      if (after.relation === "newer") return { state: "overtaken", told: after.message };
      return { state: "overtaken", told: `${tag}: ${after.error.what}`, error: after.error };
    }
    if (lag === undefined) throw after.error;
    await sleep(lag);
  }
  throw new TgoError("INTERNAL", "a read after a write without an end", { where });
}

async function seenNow(
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
