import { TgoError } from "@tgo/errors";
import { pullScope } from "./auth/scope.js";
import type { Connection } from "./http/connection.js";
import { MAX_MANIFEST_BYTES, OCI_INDEX } from "./media-types.js";
import { nextPage } from "./tags.js";

/** How many pages of a referrers API are read, and bytes of all of them. */
const MAX_PAGES = 100;
const MAX_PAGES_BYTES = 32 * 1024 * 1024;

/** An image whose referrers are asked for. */
export interface ReferrersQuery {
  readonly repository: string;
  /** The image's digest. */
  readonly subject: string;
  /** Where clients look when there is no referrers API. */
  readonly tag: string;
}

/**
 * The pages of a registry's referrers API; one undefined where there is none. As other clients, takes only 200 and the
 * media type of an index for a response of it: GHCR redirects to a web page.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers
 */
export async function* referrersPages(
  connection: Connection,
  { repository, subject, tag }: ReferrersQuery,
): AsyncGenerator<Uint8Array | undefined, void, undefined> {
  const first = connection.call({
    method: "GET",
    repository,
    path: `referrers/${subject}`,
    reference: subject,
    action: "list the referrers",
    headers: { accept: OCI_INDEX },
    buffer: MAX_MANIFEST_BYTES,
    idle: connection.transport.idleTimeout(),
  });
  let url: URL | undefined = first.url;
  let size = 0;
  for (let page = 0; url !== undefined; page++) {
    if (page === MAX_PAGES || size > MAX_PAGES_BYTES)
      throw new TgoError("INVALID_RESPONSE", `the list of referrers has no end: ${page} pages were read`, {
        where: connection.where(repository, tag),
      });
    const response = await connection.send({ ...first, url }, [pullScope(repository)]);
    const { status, headers } = response;
    if (status === 429 || (status >= 500 && status !== 501) || (page > 0 && !response.ok))
      throw await connection.transport.errorOf(response);
    if (status !== 200 || headers.get("content-type") !== OCI_INDEX) {
      await response.discard();
      yield undefined;
      return;
    }
    const bytes = await response.bytes(MAX_MANIFEST_BYTES);
    size += bytes.length;
    yield bytes;
    url = nextPage(connection, response, "referrers");
  }
}

/**
 * The tag of an image's list of referrers: the algorithm, and the first 64 digits.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema
 */
export function listTag(digest: string): string {
  return digest.replace(":", "-").slice(0, 71);
}
