import { TgoError } from "@tgo/errors";
import { isFloating, kindOfTag } from "./tag-kind.js";
import type { TagTarget } from "./tag-target.js";
import { compareVersions, type Version } from "./version.js";

/**
 * What a read after a write shows.
 *
 * Registries have no compare-and-swap: anyone can write between the read before a write and the write itself.
 * Reading again afterwards reveals that, unless the other write arrives later still.
 */
export type AfterWrite =
  | { readonly state: "ok" }
  /** The registry still returns the previous target. It may lag: read again, and in the end throw the error. */
  | { readonly state: "stale"; readonly error: TgoError }
  /** Someone else wrote this tag. A newer version is not a failure; after any other, decide again, once. */
  | {
      readonly state: "overwritten";
      readonly by: TagTarget;
      readonly relation: "newer";
      readonly message: string;
    }
  | {
      readonly state: "overwritten";
      readonly by: TagTarget;
      readonly relation: "older" | "same version" | "unknown";
      readonly error: TgoError;
    };

/**
 * Compares what was written with what the registry returns now.
 * @param before the tag's target before the write
 * @param seen its target now
 */
export function afterWrite(write: {
  readonly tag: string;
  readonly wrote: { readonly digest: string; readonly version: Version };
  readonly before: TagTarget | undefined;
  readonly seen: TagTarget | undefined;
  readonly where: string;
}): AfterWrite {
  const { tag, wrote, before, seen, where } = write;
  if (seen?.digest === wrote.digest) return { state: "ok" };
  if (seen === undefined || seen.digest === before?.digest) {
    const now = seen === undefined ? "the tag is missing" : `the tag still points to ${name(seen)}`;
    const error = new TgoError(
      "UNAVAILABLE",
      `the registry accepted the tag for ${wrote.version.text}, but ${now}`,
      { where, remedy: "Run the same command again: finished steps are not repeated." },
    );
    return { state: "stale", error };
  }
  const relation = relationOf(seen.version, wrote.version);
  const what = `someone else moved it to ${name(seen)} while ${wrote.version.text} was being released`;
  const floating = isFloating(kindOfTag(tag));
  if (relation === "newer" && floating)
    return { state: "overwritten", by: seen, relation, message: `${tag}: ${what}` };
  const remedy = floating
    ? "Another release may be running. When it has finished, run the same command again."
    : "Two releases of the same version with different content ran at once. Find out who pushed the other one, and " +
      "release the right content as the next version.";
  const error = new TgoError("CONFLICT", what, { where, remedy });
  return {
    state: "overwritten",
    by: seen,
    relation: relation === "newer" ? "unknown" : relation,
    error,
  };
}

function relationOf(
  version: Version | undefined,
  wrote: Version,
): "newer" | "older" | "same version" | "unknown" {
  if (version === undefined) return "unknown";
  const order = compareVersions(version, wrote);
  return order > 0 ? "newer" : order < 0 ? "older" : "same version";
}

function name({ digest, version }: TagTarget): string {
  return version === undefined ? digest : `${version.text} (${digest})`;
}
