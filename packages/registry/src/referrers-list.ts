import * as v from "@tgo/schemas";
import { canonicalJson, parseJson } from "./json.js";
import type { Descriptor } from "./manifest-schemas.js";
import { OCI_INDEX } from "./media-types.js";
import { endOfString, excessOf } from "./strict-json.js";

/**
 * A list of referrers: an image index whose manifests are artifacts of one subject. Other tools write to it as well,
 * so its text is kept, and descriptors are added to it.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers
 */
export interface ReferrersList {
  /** One character a byte (latin1): whatever the bytes are, they come out again. */
  readonly text: string;
  /** By digest: each descriptor's own text, latin1 as well. */
  readonly entries: ReadonlyMap<string, string>;
  /** Whether a descriptor has a platform, as those of an image's own index have. */
  readonly hasPlatforms: boolean;
  /** Where the array of manifests ends in the text. */
  readonly end: number;
}

const List = v.object({
  schemaVersion: v.literal(2),
  mediaType: v.optional(v.literal(OCI_INDEX)),
  manifests: v.array(v.unknown()),
});
const Entry = v.object({ digest: v.string(), platform: v.optional(v.unknown()) });
const Subject = v.object({ subject: v.object({ digest: v.string() }) });

/** What an empty list is made from. */
const EMPTY = Buffer.from(canonicalJson({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] }));

/**
 * Undefined when the bytes are something else, an index and a manifest at once, or an index that readers disagree
 * about: Go's JSON takes `Manifests` for `manifests`, and of two the last one.
 */
export function parseList(bytes: Uint8Array): ReferrersList | undefined {
  const text = Buffer.from(bytes).toString("latin1");
  const keys: string[] = [];
  const elements: string[] = [];
  let depth = 0;
  let start = 0;
  let end = 0;
  let word = "";
  if (excessOf(text) !== undefined) return undefined;
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? "";
    if (char === '"') {
      const opened = at;
      at = endOfString(text, opened);
      if (depth === 1) word = text.slice(opened, at + 1);
    } else if (char === ":" && depth === 1) {
      keys.push(String(jsonOf(Buffer.from(word, "latin1"))).toUpperCase());
    } else if (char === "{" || char === "[") {
      if (depth++ === 2) start = at;
    } else if (char === "}" || char === "]") {
      depth--;
      if (keys.at(-1) !== "MANIFESTS") continue;
      if (depth === 2) elements.push(text.slice(start, at + 1));
      if (depth === 1) end = at;
    }
  }
  const isAmbiguous =
    new Set(keys).size !== keys.length || keys.includes("CONFIG") || keys.includes("LAYERS");
  if (isAmbiguous || !v.is(List, jsonOf(bytes))) return undefined;
  const entries = elements.map((element) => ({
    element,
    seen: v.outputOf(Entry, jsonOf(Buffer.from(element, "latin1"))),
  }));
  return {
    text,
    entries: new Map(entries.flatMap(({ element, seen }) => (seen ? [[seen.digest, element]] : []))),
    hasPlatforms: entries.some(({ seen }) => seen?.platform !== undefined),
    end,
  };
}

/** The list with these descriptors' texts at its end, and all else as it is. */
export function extendList(
  list: ReferrersList | undefined,
  added: readonly string[],
): Uint8Array<ArrayBuffer> {
  const { text, end } = list ?? parseList(EMPTY) ?? { text: "", end: 0 };
  const before = text.slice(0, end).trimEnd();
  const separator = before.endsWith("[") ? "" : ",";
  return Buffer.from(before + separator + added.join(",") + text.slice(before.length), "latin1");
}

/** A descriptor's text for {@link extendList}. */
export function entryText(descriptor: Descriptor): string {
  return Buffer.from(canonicalJson(descriptor)).toString("latin1");
}

/** The digest of the subject that a manifest names: all that makes it a referrer. */
export function subjectOf(manifest: Uint8Array): string | undefined {
  return v.outputOf(Subject, jsonOf(manifest))?.subject.digest;
}

function jsonOf(bytes: Uint8Array): unknown {
  return parseJson(new TextDecoder().decode(bytes));
}
