import { TgoError } from "@tgo/errors";
import * as v from "@tgo/schemas";
import { pullScope } from "./auth/scope.js";
import { firstBytes } from "./manifest-schemas.js";
import type { Connection } from "./http/connection.js";
import type { RegistryResponse } from "./http/response.js";
import { parseJson } from "./json.js";
import { assertRegistry } from "./ping.js";
import { isTag } from "./reference.js";
import { excessOf } from "./strict-json.js";

/** `tags` is null in an empty repository. */
const TagList = v.object({ tags: v.nullish(v.array(v.string())) });

/** Docker Hub sends all tags at once; this is the most that is read of a page, in bytes. */
const MAX_PAGE_BYTES = 8 * 1024 * 1024;
const MAX_PAGES = 1000;
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_TAGS = 100_000;
const PAGE_SIZE = "1000";

/**
 * Reads all pages: distribution-spec, "Listing Tags". Stops at a page that was read before. What is no tag by the
 * specification is left out: nobody can pull it.
 */
export async function listTags(connection: Connection, repository: string): Promise<string[]> {
  const first = connection.call({
    method: "GET",
    repository,
    path: "tags/list",
    action: "list the tags",
    buffer: MAX_PAGE_BYTES,
    idle: connection.transport.idleTimeout(),
  });
  const tags = new Set<string>();
  const seen = new Set<string>();
  let size = 0;
  let url: URL | undefined = new URL(`?n=${PAGE_SIZE}`, first.url);
  while (url !== undefined && !seen.has(url.href)) {
    seen.add(url.href);
    const response = await connection.follow({ ...first, url }, [pullScope(repository)]);
    if (response.status === 404 && /^\s*$|NAME_UNKNOWN|NOT_FOUND/.test(await response.text())) {
      assertRegistry(response, connection);
      return [];
    }
    if (response.status === 400 && /PAGINATION_NUMBER_INVALID/.test(await response.text())) {
      url = first.url;
      continue;
    }
    if (!response.ok) throw await connection.transport.errorOf(response);
    const bytes = await response.bytes(MAX_PAGE_BYTES);
    const page = tagsOf(bytes, first.where);
    if (page.length <= MAX_TAGS) for (const tag of page) if (isTag(tag)) tags.add(tag);
    url = nextPage(connection, response, "tags");
    size += bytes.length;
    const hasNoEnd = seen.size === MAX_PAGES || size > MAX_BYTES;
    if (Math.max(tags.size, page.length) > MAX_TAGS || (hasNoEnd && url !== undefined)) {
      throw new TgoError(
        "INVALID_RESPONSE",
        `the list of tags is longer than ${MAX_TAGS} tags, ${MAX_PAGES} pages or ${MAX_BYTES} bytes`,
        { where: first.where, remedy: "Delete tags that nobody needs, or publish to another repository." },
      );
    }
  }
  return [...tags];
}

function tagsOf(bytes: Uint8Array, where: string): string[] {
  const text = new TextDecoder().decode(bytes);
  const list = v.outputOf(TagList, excessOf(text) === undefined ? parseJson(text) : undefined);
  if (list !== undefined) return list.tags ?? [];
  throw new TgoError("INVALID_RESPONSE", `expected a list of tags, got ${firstBytes(text)}`, { where });
}

/** The `Link` header with rel="next": RFC 8288. */
export function nextPage(
  connection: Connection,
  response: RegistryResponse,
  what: "tags" | "referrers",
): URL | undefined {
  const { url: page, where } = response.call;
  const [, target] = /<([^>]*)>\s*;[^,]*\brel="?next"?/i.exec(response.headers.get("link") ?? "") ?? [];
  if (target === undefined || !URL.canParse(target, page.href)) return undefined;
  const named = new URL(target, page);
  // A registry behind a proxy may know itself by another name.
  const url = named.pathname === page.pathname ? new URL(named.search, page) : connection.reach(named);
  if (url.origin === connection.origin.origin) return url;
  throw new TgoError("INVALID_RESPONSE", `the list of ${what} continues on another host (${url.origin})`, {
    where,
  });
}
