import { foreseenProblem, isTgoError, type Problem } from "@tgo/errors";
import { readBlob } from "@tgo/image";
import { isIndex } from "@tgo/registry";
import {
  isFloating,
  kindOfTag,
  parseRecord,
  RECORD_MEDIA_TYPE,
  type ReleaseRecord,
} from "@tgo/release-rules";
import { repositoryOf, type Target } from "../targets/target.js";

/** Tags that users pull, of one service in one registry. */
export interface ReleasedTags {
  readonly target: Target;
  readonly tags: readonly string[];
  /** Why they could not be listed. */
  readonly problem?: Problem;
}

/** Version tags and floating tags of a service in a registry. */
export async function releasedTags(target: Target, service: string): Promise<ReleasedTags> {
  try {
    const tags = await target.client.tags(repositoryOf(target, service));
    return {
      target,
      tags: tags.filter((tag) => {
        const kind = kindOfTag(tag, service);
        return kind.kind === "version" || isFloating(kind);
      }),
    };
  } catch (error) {
    return { target, tags: [], problem: foreseenProblem(error) };
  }
}

/** The release records of an image that a registry has; none where it takes no artifacts, or has lost them. */
export async function readRecords(target: Target, service: string, tag: string): Promise<ReleaseRecord[]> {
  const { client } = target;
  const repository = repositoryOf(target, service);
  try {
    const image = await client.resolve(repository, tag);
    if (image === undefined) return [];
    const { entries } = await client.referrers(repository, image.digest);
    const records = await Promise.all(
      entries
        .filter(({ artifactType }) => artifactType === undefined || artifactType === RECORD_MEDIA_TYPE)
        .map(async ({ digest }) => {
          const { value } = await client.manifest(repository, digest);
          const layer = isIndex(value) ? undefined : value.layers[0];
          if (layer?.mediaType !== RECORD_MEDIA_TYPE || value.subject?.digest !== image.digest) return [];
          const text = new TextDecoder().decode(await readBlob(client, repository, layer));
          return [parseRecord(text, `${target.registry.host}/${repository}@${digest}`)];
        }),
    );
    return records.flat();
  } catch (error) {
    // What is unreachable or damaged is told by the verification of the tag.
    if (isTgoError(error) && error.code === "INTERRUPTED") throw error;
    return [];
  }
}
