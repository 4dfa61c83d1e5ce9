import { TgoError } from "@tgo/errors";
import * as v from "@tgo/schemas";
import { BaseImage } from "./base-image.js";
import { parseJsonFile, problems } from "./problems.js";

/** A base image as the catalog names it: host, path and tag, without a digest. */
const TaggedImage = v.pipe(
  BaseImage,
  v.check(
    (reference) => !reference.includes("@"),
    "is pinned already: an entry names a tag, such as docker.io/library/python:3.11-slim",
  ),
);

const Digest = v.pipe(
  v.string(),
  v.regex(/^sha256:[0-9a-f]{64}$/, "must be sha256: and 64 lower-case hex digits"),
);

/** The user's `tgo.bases.json`: base images pinned by the digest of their index, so one entry covers every platform. */
export const BaseLock = v.pipe(
  v.strictObject({
    $schema: v.optional(v.string()),
    bases: v.pipe(
      v.record(TaggedImage, Digest),
      v.description(
        'Digests by base image: { "docker.io/library/python:3.11-slim": "sha256:…" }. Written by lock-bases.',
      ),
    ),
  }),
  v.description("Base images pinned by digest (tgo.bases.json)."),
);
export type BaseLock = v.InferOutput<typeof BaseLock>;

/** Digests by base image. */
export type Pins = Readonly<Record<string, string>>;

/**
 * Parses a base lock.
 * @throws TgoError CATALOG listing every problem with its path and value
 */
export function parseBaseLock(text: string, file: string): BaseLock {
  const remedy = "Write it again: tgo lock-bases --output tgo.bases.json.";
  const value = parseJsonFile(text, file, remedy);
  const parsed = v.safeParse(BaseLock, value);
  if (parsed.success) return parsed.output;
  throw new TgoError("CATALOG", problems(parsed.issues, value), { where: file, remedy });
}

/** The text of a base lock, sorted: a change of one base image changes one line. */
export function formatBaseLock(bases: Pins): string {
  const sorted = Object.entries(bases).sort(([a], [b]) => (a < b ? -1 : 1));
  return `${JSON.stringify({ bases: Object.fromEntries(sorted) } satisfies BaseLock, null, 2)}\n`;
}

/** A base image pinned to the lock's digest; unchanged when it has a digest of its own, or the lock has none. */
export function pinned(reference: BaseImage, pins: Pins): BaseImage {
  const digest = Object.hasOwn(pins, reference) ? pins[reference] : undefined;
  return reference.includes("@") || digest === undefined ? reference : `${reference}@${digest}`;
}
