import { LATEST } from "./tag-plan.js";
import { readVersion, type Version } from "./version.js";

/** What a tag of a service's repository is for, by its name alone. */
export type TagKind =
  | { readonly kind: "version"; readonly version: Version }
  | FloatingKind
  | { readonly kind: "candidate" | "staging" | "other" };

/** A tag that moves from version to version. */
export type FloatingKind =
  | { readonly kind: "minor"; readonly major: number; readonly minor: number }
  | { readonly kind: "major"; readonly major: number }
  | { readonly kind: "latest" };

/** A key of 16 hex digits, and what a build for one platform may add to it. Nothing else of that name is ours. */
const OURS = /^(candidate|staging)-[0-9a-f]{16}(?:-[a-z0-9-]+)?$/;

/**
 * Sorts a tag.
 * @param service whose repository it is in: images released before these pipelines carry the Git tag as it was,
 *   `v0.5.0` or `tgo-api-v0.3.1`, and are versions all the same
 */
export function kindOfTag(tag: string, service?: string): TagKind {
  if (tag === LATEST) return { kind: "latest" };
  const ours = OURS.exec(tag)?.[1];
  if (ours === "candidate" || ours === "staging") return { kind: ours };
  const start = `${service ?? ""}-v`;
  const version = readVersion(service !== undefined && tag.startsWith(start) ? tag.slice(start.length) : tag);
  if (version !== undefined) return { kind: "version", version };
  const [, major, minor] = /^(0|[1-9]\d{0,14})(?:\.(0|[1-9]\d{0,14}))?$/.exec(tag) ?? [];
  if (major !== undefined && minor !== undefined)
    return { kind: "minor", major: Number(major), minor: Number(minor) };
  return major === undefined || major === "0" ? { kind: "other" } : { kind: "major", major: Number(major) };
}

export function isFloating(kind: TagKind): kind is FloatingKind {
  return kind.kind === "minor" || kind.kind === "major" || kind.kind === "latest";
}

/** Whether a floating tag may stand for this version: 1.2 for 1.2.x only, latest for any. */
export function inLine(kind: FloatingKind, version: Version): boolean {
  switch (kind.kind) {
    case "latest":
      return true;
    case "major":
      return version.major === kind.major;
    case "minor":
      return version.major === kind.major && version.minor === kind.minor;
  }
}
