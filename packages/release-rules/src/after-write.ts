import { TgoError } from "@tgo/errors";
import type { TagTarget } from "./tag-target.js";
import { isFloating, kindOfTag } from "./tag-kind.js";
import { compareVersions, type Version } from "./version.js";

/**
 * What a read after a write says about it.
 *
 * Registries have no compare-and-swap: between the read before a write and the write itself anybody can write.
 * Reading again afterwards shows it, unless the other write comes later still.
 */
export type AfterWrite =
  | { readonly state: "ok" }
  /** The registry still answers what was there before. It may lag: read again, and in the end throw the error. */
  | { readonly state: "stale"; readonly error: TgoError }
  /** Somebody else wrote this tag. A newer version is no failure; after anything else decide again, once. */
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
 * Compares what was written with what is there now.
 * @param before what was there before the write
 * @param seen what is there now
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
    const now = seen === undefined ? "is not there" : `is still ${name(seen)}`;
    const error = new TgoError(
      "UNAVAILABLE",
      `the registry took the tag for ${wrote.version.text}, and it ${now}`,
      { where, remedy: "Run the same command again: what is done is not done twice." },
    );
    return { state: "stale", error };
  }
  const relation = relationOf(seen.version, wrote.version);
  const what = `somebody else moved it to ${name(seen)} while ${wrote.version.text} was released`;
  const moves = isFloating(kindOfTag(tag));
  if (relation === "newer" && moves)
    return { state: "overwritten", by: seen, relation, message: `${tag}: ${what}` };
  const remedy = moves
    ? "Two releases at once? When the other one has ended, run the same command again."
    : "Two releases of one version at once, of different content. Find out who pushed the other one, and release the " +
      "right content as the next version.";
  const error = new TgoError("CONFLICT", what, { where, remedy });
  return { state: "overwritten", by: seen, relation: relation === "newer" ? "unknown" : relation, error };
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
