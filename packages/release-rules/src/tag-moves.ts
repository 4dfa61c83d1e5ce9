import { TgoError } from "@tgo/errors";
import type { TagTarget } from "./tag-target.js";
import { inLine, isFloating, kindOfTag, type FloatingKind } from "./tag-kind.js";
import { compareVersions, isNewer, newestVersion, type Version } from "./version.js";

/** What to do about a version's own tag. */
export type VersionMove =
  | { readonly act: "write" }
  /** It is there already, with this digest. */
  | { readonly act: "keep" }
  | { readonly act: "refuse"; readonly error: TgoError };

/**
 * A version tag, once written, keeps its digest (law 1).
 * @param held digest under the tag now, or undefined when there is none
 * @param where the tag's reference, for the message
 */
export function decideVersionTag(move: {
  readonly current: string | undefined;
  readonly wanted: string;
  readonly where: string;
}): VersionMove {
  const { current, wanted, where } = move;
  if (current === undefined) return { act: "write" };
  if (current === wanted) return { act: "keep" };
  const what = `it is ${current} already, and a version's tag never changes; asked for was ${wanted}`;
  return refuse(
    what,
    where,
    "Release these bytes as the next version. To finish the version that is there, give the source and the pipelines " +
      "it was made of: its image names the commit.",
  );
}

/** What to do about a tag that moves from version to version. */
export type FloatingMove =
  | { readonly act: "write"; readonly why: "new" | "forward" | "backwards" | "adopted" }
  /** It stands for this digest already. */
  | { readonly act: "keep" }
  /** A newer version has it, or is about to: nothing is wrong and nothing is written. `told` goes on after the tag. */
  | { readonly act: "stay"; readonly newer: Version; readonly message: string }
  | { readonly act: "refuse"; readonly error: TgoError };

/** A version that a floating tag already stands for, or is about to, in another place. */
export interface CompetingVersion {
  readonly version: Version;
  /** In words, after the version: "is latest in ghcr". */
  readonly reason: string;
}

export interface FloatingRequest {
  readonly tag: string;
  /** What the tag stands for now in this registry. */
  readonly current: TagTarget | undefined;
  readonly wanted: { readonly digest: string; readonly version: Version };
  /** What others have of this tag; a newer claim stays as it is, like a newer held version. */
  readonly competing?: readonly CompetingVersion[];
  /** Also to an older version: a rollback. */
  readonly allowBackwards?: boolean;
  /** Also from an image of which nothing says, or nothing sensible, which version it is. */
  readonly adopt?: boolean;
  /** The tag's reference, for messages. */
  readonly where: string;
}

/**
 * A floating tag goes forward only, by semver order, and to stable versions only (law 2). To an unknown version
 * behind it, to a version of another line, and to another digest of the same version it is blind: these it takes
 * over only when told to adopt, and never because going backwards is allowed.
 */
export function decideFloatingTag(request: FloatingRequest): FloatingMove {
  const { tag, current, wanted, where } = request;
  const kind = kindOfTag(tag);
  if (!isFloating(kind) || !inLine(kind, wanted.version)) {
    return { act: "refuse", error: misplaced(tag, wanted.version, where) };
  }
  if (!wanted.version.stable) {
    return refuse(
      `${wanted.version.text} is a prerelease, and ${tag} stands for stable versions only`,
      where,
      `A prerelease is pulled by its own tag, ${wanted.version.text}.`,
    );
  }
  if (current?.digest === wanted.digest) return { act: "keep" };
  const move =
    current === undefined
      ? ({ act: "write", why: "new" } as const)
      : decideReplacement(request, current, kind);
  const claim = newestCompeting(request, kind);
  if (move.act !== "write" || claim === undefined || request.allowBackwards === true) return move;
  return {
    act: "stay",
    newer: claim.version,
    message: `left ${current === undefined ? "absent" : "as it is"}: ${claim.version.text}, newer than ${wanted.version.text}, ${claim.reason}`,
  };
}

function decideReplacement(request: FloatingRequest, held: TagTarget, kind: FloatingKind): FloatingMove {
  const { tag, wanted, where } = request;
  const blind = whyIncomparable(held, wanted.version, kind, tag);
  if (blind !== undefined || held.version === undefined) {
    if (request.adopt === true) return { act: "write", why: "adopted" };
    return refuse(
      blind ?? "its version is unknown",
      where,
      `Look at what it is (tgo status). To put ${wanted.version.text} there all the same, add --adopt-latest.`,
    );
  }
  if (!isNewer(held.version, wanted.version)) return { act: "write", why: "forward" };
  if (request.allowBackwards === true) return { act: "write", why: "backwards" };
  const strange = held.version.stable
    ? ""
    : `; a prerelease should not be there: promote --version ${wanted.version.text} --allow-backwards takes it away`;
  return {
    act: "stay",
    newer: held.version,
    message: `stays on ${held.version.text}, newer than ${wanted.version.text}${strange}`,
  };
}

/** Why what is held cannot be compared with the wanted version; undefined when it can. */
function whyIncomparable(
  held: TagTarget,
  wanted: Version,
  kind: FloatingKind,
  tag: string,
): string | undefined {
  if (held.version === undefined)
    return `nothing says which version it is (${held.digest}), so nobody knows whether ${wanted.text} is newer`;
  if (!inLine(kind, held.version)) return `it is ${held.version.text}, which is no version of ${tag}`;
  if (compareVersions(held.version, wanted) === 0)
    return `it is another image that calls itself ${wanted.text} (${held.digest})`;
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

function misplaced(tag: string, version: Version, where: string): TgoError {
  return new TgoError("INTERNAL", `${tag} is no floating tag of ${version.text}`, {
    where,
    remedy: "This is a defect of the pipelines: please report it.",
  });
}
