import * as v from "@tgo/schemas";
import type { Connection } from "./http/connection.js";
import { parseJson } from "./json.js";
import { Descriptor } from "./manifest-schemas.js";
import type { Manifests } from "./manifests.js";
import { parseList } from "./referrers-list.js";
import { listTag, referrersPages } from "./referrers-pages.js";

/** What refers to an image: signatures, SBOMs, provenance and other artifacts. */
export interface Referrers {
  /** Where they are listed: by the registry's referrers API, or under the tag for registries without one. */
  readonly source: "api" | "tag";
  /** Descriptors of their manifests, as listed; malformed ones are left out. */
  readonly entries: readonly Descriptor[];
}

/**
 * What other clients find that ask for an image's referrers: the referrers API's list, else the one under the tag. Where
 * neither lists anything, there is none.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers
 */
export async function listReferrers(
  connection: Connection,
  manifests: Manifests,
  repository: string,
  subject: string,
): Promise<Referrers> {
  const tag = listTag(subject);
  const entries: Descriptor[] = [];
  for await (const bytes of referrersPages(connection, { repository, subject, tag })) {
    if (bytes !== undefined) {
      entries.push(...entriesOf(bytes));
      continue;
    }
    const list = await manifests.readBytes(repository, tag, {});
    // Some registries return the image itself under a tag that looks like its digest.
    const listed = list === undefined || list.digest === subject ? [] : entriesOf(list.bytes);
    return { source: "tag", entries: listed };
  }
  return { source: "api", entries };
}

function entriesOf(list: Uint8Array): Descriptor[] {
  const texts = [...(parseList(list)?.entries.values() ?? [])];
  return texts.flatMap((text) => {
    const json = parseJson(Buffer.from(text, "latin1").toString("utf8"));
    return v.outputOf(Descriptor, json) ?? [];
  });
}
