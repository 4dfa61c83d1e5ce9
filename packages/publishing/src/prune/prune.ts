import type { Service } from "@tgo/catalog";
import { isTgoError, problemOf, TgoError } from "@tgo/errors";
import { readBlob } from "@tgo/image";
import { inParallel, isIndex, type FetchedManifest } from "@tgo/registry";
import {
  kindOfTag,
  selectPrunable,
  type PrunableTag,
  type PruneOptions,
  type PruneSelection,
} from "@tgo/release-rules";
import { type PruneResult } from "@tgo/report";
import { repositoryOf, type Target } from "../targets/target.js";
import { removeImage } from "./remove-image.js";
import type { TargetContext } from "../targets/publish-context.js";

/** Tags of one repository. Each costs a request. */
const MAX_TAGS_READ = 20_000;
/** After the first failure, no more are begun. */
const READS_AT_ONCE = 16;

/**
 * Lists candidate, staging and variant tags whose image is not released, and removes them with `remove`. A registry deletes by
 * digest, and with it every tag: the tags are read again right before each batch.
 */
export function prune(
  context: TargetContext,
  services: readonly { readonly name: string; readonly service: Service }[],
  options: PruneOptions & { readonly remove: boolean },
): Promise<PruneResult[]> {
  return Promise.all(
    services.flatMap(({ name }) =>
      context.targets.map((target) =>
        context.progress.step({ step: "prune", service: name, registry: target.name }, () =>
          pruneRepository(target, name, options),
        ),
      ),
    ),
  );
}

async function pruneRepository(
  target: Target,
  service: string,
  options: PruneOptions & { readonly remove: boolean },
): Promise<PruneResult> {
  const repository = { service, registry: target.name };
  const removed: string[] = [];
  let selection: PruneSelection = { remove: [], keep: [] };
  try {
    const known = await tagsOf(target, service);
    selection = selectPrunable(known, options);
    for (let at = 0; options.remove && at < selection.remove.length; at += BATCH) {
      const batch = selection.remove.slice(at, at + BATCH);
      // One of them may have been released in the meantime.
      const tags = await tagsOf(target, service, { known, batch: new Set(batch.flatMap((one) => one.tags)) });
      const again = selectPrunable(tags, options);
      for (const { digest } of again.remove) {
        if (!batch.some((one) => one.digest === digest)) continue;
        await removeImage(target, service, digest);
        removed.push(digest);
      }
    }
    return { ...repository, selection, removed, problem: undefined };
  } catch (error) {
    if (isTgoError(error) && error.code === "INTERRUPTED") throw error;
    return { ...repository, selection, removed, problem: problemOf(error) };
  }
}

/** How many images are removed before the tags are read again. */
const BATCH = 20;

/** What need not be read again: temporary tags outside of the batch that is removed next. */
interface Earlier {
  readonly known: readonly PrunableTag[];
  readonly batch: ReadonlySet<string>;
}

/** Every tag with its digest; the creation time of candidates only, which also dates their staging tags. */
async function tagsOf(target: Target, service: string, earlier?: Earlier): Promise<PrunableTag[]> {
  const repository = repositoryOf(target, service);
  const kept = new Map(
    earlier?.known.flatMap((one) =>
      earlier.batch.has(one.tag) || !isTemporary(one.tag, service) ? [] : [[one.tag, one] as const],
    ),
  );
  const times = new Map<string, Promise<Date | undefined>>();
  const created = (digest: string): Promise<Date | undefined> => {
    const time = times.get(digest) ?? createdOf(target, repository, digest);
    times.set(digest, time);
    return time;
  };
  const listed = await target.client.tags(repository);
  if (listed.length > MAX_TAGS_READ)
    throw new TgoError(
      "CONFLICT",
      `the repository has ${listed.length} tags, more than the ${MAX_TAGS_READ} that are read`,
      {
        where: `${target.registry.host}/${repository}`,
        remedy: "Delete tags in the registry's console first.",
      },
    );
  const tags = await inParallel(READS_AT_ONCE, listed, async (tag) => {
    const before = kept.get(tag);
    if (before !== undefined) return [before];
    const digest = (await target.client.resolve(repository, tag, { push: true }))?.digest;
    const { kind } = kindOfTag(tag, service);
    return digest === undefined
      ? []
      : [{ tag, digest, created: kind === "candidate" ? await created(digest) : undefined }];
  });
  return tags.flat();
}

function isTemporary(tag: string, service: string): boolean {
  return ["candidate", "staging", "variant"].includes(kindOfTag(tag, service).kind);
}

/** The image's creation time from its annotations, else from its first variant's config. */
async function createdOf(target: Target, repository: string, digest: string): Promise<Date | undefined> {
  const { value } = await target.client.manifest(repository, digest, { push: true });
  const annotated = value.annotations?.["org.opencontainers.image.created"];
  if (annotated !== undefined) return dateOf(annotated);
  const child = isIndex(value) ? value.manifests[0]?.digest : digest;
  if (child === undefined) return undefined;
  return dateOf(
    await configTime(target, repository, await target.client.manifest(repository, child, { push: true })),
  );
}

async function configTime(target: Target, repository: string, { value }: FetchedManifest): Promise<unknown> {
  if (isIndex(value)) return undefined;
  const bytes = await readBlob(target.client, repository, value.config);
  try {
    return (JSON.parse(new TextDecoder().decode(bytes)) as { created?: unknown } | null)?.created;
  } catch {
    // Not an image's config.
    return undefined;
  }
}

function dateOf(text: unknown): Date | undefined {
  const date = new Date(typeof text === "string" ? text : Number.NaN);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
