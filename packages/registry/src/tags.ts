import { TgoError } from "@tgo/errors";
import * as z from "zod";
import type { RegistryResponse } from "./http/response.js";
import type { Connection } from "./http/connection.js";
import { parseJson } from "./json.js";
import { firstBytes } from "./documents.js";
import { pullScope } from "./auth/scope.js";

/** `tags` is null in an empty repository. */
const TagList = z.object({ tags: z.array(z.string()).nullish() });

/** Docker Hub answers all tags at once; this is the most we read, in bytes. */
const MAX_LIST_BYTES = 64 * 1024 * 1024;
const PAGE = "1000";

/** All pages: distribution-spec, "Listing Tags". Ends on a list that goes round in circles. */
export async function listTags(connection: Connection, repository: string): Promise<string[]> {
  const first = connection.call({
    method: "GET",
    repository,
    path: "tags/list",
    doing: "list the tags",
    whole: MAX_LIST_BYTES,
  });
  const tags = new Set<string>();
  const seen = new Set<string>();
  let url: URL | undefined = new URL(`?n=${PAGE}`, first.url);
  while (url !== undefined && !seen.has(url.href)) {
    seen.add(url.href);
    const answer = await connection.follow({ ...first, url }, [pullScope(repository)]);
    if (answer.status === 404 && /NAME_UNKNOWN|NOT_FOUND/.test(await answer.text())) return [];
    if (answer.status === 400 && /PAGINATION_NUMBER_INVALID/.test(await answer.text())) {
      url = first.url;
      continue;
    }
    if (!answer.ok) throw await connection.transport.refusal(answer);
    for (const tag of tagsOf(await answer.bytes(MAX_LIST_BYTES), first.where)) tags.add(tag);
    url = nextPage(connection, answer);
  }
  return [...tags];
}

function tagsOf(bytes: Uint8Array, where: string): string[] {
  const text = new TextDecoder().decode(bytes);
  const list = TagList.safeParse(parseJson(text));
  if (list.success) return list.data.tags ?? [];
  throw new TgoError("INVALID_RESPONSE", `expected a list of tags, got ${firstBytes(text)}`, { where });
}

/** The `Link` header with rel="next": RFC 8288. */
function nextPage(connection: Connection, answer: RegistryResponse): URL | undefined {
  const { url: asked, where } = answer.call;
  const [, target] = /<([^>]*)>\s*;[^,]*\brel="?next"?/i.exec(answer.headers.get("link") ?? "") ?? [];
  if (target === undefined || !URL.canParse(target, asked.href)) return undefined;
  const url = connection.reach(new URL(target, asked));
  if (url.origin === connection.origin.origin) return url;
  throw new TgoError("INVALID_RESPONSE", `the list of tags continues on another host (${url.origin})`, {
    where,
  });
}
