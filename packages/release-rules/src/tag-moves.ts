import { TgoError } from "@tgo/errors";
import { inLine, isFloating, kindOfTag, type FloatingKind } from "./tag-kind.js";
import type { TagTarget } from "./tag-target.js";
import { compareVersions, isNewer, newestVersion, type Version } from "./version.js";

/** What to do when a version's tag points to other content than requested. */
export const OTHER_CONTENT_REMEDY =
  "Release this content as the next version. To finish the existing version, use the source and the pipelines it was " +
  "built from: its image names the commit.";

/** What to do about a version's own tag. */
export type VersionMove =
  | { readonly act: "write" }
  /** It already points to this digest. */
  | { readonly act: "keep" }
  | { readonly act: "refuse"; readonly error: TgoError };

/**
 * A version tag, once written, keeps its digest.
 * @param move.current the digest the tag points to now; undefined when there is no tag
 * @param move.where the tag's reference, for the message
 */
export function decideVersionTag(move: {
  readonly current: string | undefined;
  readonly wanted: string;
  readonly where: string;
}): VersionMove {
  const { current, wanted, where } = move;
  if (current === undefined) return { act: "write" };
  if (current === wanted) return { act: "keep" };
  return refuse(
    `it already points to ${current}, and a version's tag never changes; requested was ${wanted}`,
    where,
    OTHER_CONTENT_REMEDY,
  );
}

/** What to do about a tag that moves from version to version. */
export type FloatingMove =
  | { readonly act: "write"; readonly why: "new" | "forward" | "backwards" | "adopted" }
  /** It already points to this digest. */
  | { readonly act: "keep" }
  /** A newer version has it, or is about to: nothing is wrong and nothing is written. `message` follows the tag's name. */
  | { readonly act: "stay"; readonly newer: Version; readonly message: string }
  | { readonly act: "refuse"; readonly error: TgoError };

/** A version that a floating tag already points to, or is about to, elsewhere. */
export interface CompetingVersion {
  readonly version: Version;
  /** Follows the version: "is latest in ghcr". */
  readonly reason: string;
}

export interface FloatingRequest {
  readonly tag: string;
  /** What the tag points to now in this registry. */
  readonly current: TagTarget | undefined;
  readonly wanted: { readonly digest: string; readonly version: Version };
  /** Other versions of this tag; a newer one keeps the tag from moving, like a newer current version. */
  readonly competing?: readonly CompetingVersion[];
  /** Allow a move to an older version: a rollback. */
  readonly allowBackwards?: boolean;
  /** Allow a move away from an image whose version is unknown or makes no sense for the tag. */
  readonly adopt?: boolean;
  /** The tag's reference, for messages. */
  readonly where: string;
}

/**
 * A floating tag moves forward only, by semver order, and to stable versions only. A current target that is of
 * unknown version, of another line, or another digest of the same version cannot be compared: it is overwritten only
 * with `adopt`, never because `allowBackwards` is set.
 */
export function decideFloatingTag(request: FloatingRequest): FloatingMove {
  const { tag, current, wanted, where } = request;
  const kind = kindOfTag(tag);
  if (!isFloating(kind) || !inLine(kind, wanted.version)) {
    return { act: "refuse", error: wrongTag(tag, wanted.version, where) };
  }
  if (!wanted.version.stable) {
    return refuse(
      `${wanted.version.text} is a prerelease, and ${tag} points to stable versions only`,
      where,
      `A prerelease is pulled by its own tag, ${wanted.version.text}.`,
    );
  }
  if (current?.digest === wanted.digest) return { act: "keep" };
  const move =
    current === undefined
      ? ({ act: "write", why: "new" } as const)
      : decideReplacement(request, current, kind);
  const competing = newestCompeting(request, kind);
  if (move.act !== "write" || competing === undefined || request.allowBackwards === true) return move;
  return {
    act: "stay",
    newer: competing.version,
    message: `left ${current === undefined ? "absent" : "as it is"}: ${competing.version.text}, newer than ${wanted.version.text}, ${competing.reason}`,
  };
}

function decideReplacement(request: FloatingRequest, current: TagTarget, kind: FloatingKind): FloatingMove {
  const { tag, wanted, where } = request;
  const incomparable = whyIncomparable(current, wanted.version, kind, tag);
  if (incomparable !== undefined || current.version === undefined) {
    if (request.adopt === true) return { act: "write", why: "adopted" };
    return refuse(
      incomparable ?? "its version is unknown",
      where,
      `Check what it is with status. To move it to ${wanted.version.text} anyway, add --adopt-latest.`,
    );
  }
  if (!isNewer(current.version, wanted.version)) return { act: "write", why: "forward" };
  if (request.allowBackwards === true) return { act: "write", why: "backwards" };
  const prerelease = current.version.stable
    ? ""
    : `; it should not be a prerelease: promote --version ${wanted.version.text} --allow-backwards replaces it`;
  return {
    act: "stay",
    newer: current.version,
    message: `stays on ${current.version.text}, newer than ${wanted.version.text}${prerelease}`,
  };
}

/** Why the current target cannot be compared with the wanted version; undefined when it can. */
function whyIncomparable(
  current: TagTarget,
  wanted: Version,
  kind: FloatingKind,
  tag: string,
): string | undefined {
  if (current.version === undefined)
    return `its version is unknown (${current.digest}), so it cannot be compared with ${wanted.text}`;
  if (!inLine(kind, current.version)) return `it is ${current.version.text}, which does not belong to ${tag}`;
  if (compareVersions(current.version, wanted) === 0)
    return `it is a different image that claims to be ${wanted.text} (${current.digest})`;
  return undefined;
}

function newestCompeting(
  { competing = [], wanted }: FloatingRequest,
  kind: FloatingKind,
): CompetingVersion | undefined {
  const newer = competing.filter(
    ({ version }) => version.stable && inLine(kind, version) && isNewer(version, wanted.version),
  );
  const newest = newestVersion(newer.map(({ version }) => version));
  return newer.find(({ version }) => version === newest);
}

function refuse(what: string, where: string, remedy: string): { act: "refuse"; error: TgoError } {
  return { act: "refuse", error: new TgoError("CONFLICT", what, { where, remedy }) };
}

function wrongTag(tag: string, version: Version, where: string): TgoError {
  return new TgoError("INTERNAL", `${tag} is not a floating tag of ${version.text}`, {
    where,
    remedy: "This is a defect of the pipelines: please report it.",
  });
}
