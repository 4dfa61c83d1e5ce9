import { readVersion, type Version } from "./version.js";

export const LATEST = "latest";

/** What a tag in a service's repository is for, by its name alone. */
export type TagKind =
  | { readonly kind: "version"; readonly version: Version }
  | FloatingKind
  | { readonly kind: "candidate" | "staging" | "variant" | "other" };

/** A tag that moves from version to version. */
export type FloatingKind =
  | { readonly kind: "minor"; readonly major: number; readonly minor: number }
  | { readonly kind: "major"; readonly major: number }
  | { readonly kind: "latest" };

/** A key of 16 hex digits, with an optional suffix for a build of one platform. No other tag of that name is ours. */
const BUILD_TAG = /^(candidate|staging|variant)-[0-9a-f]{16}(?:-[a-z0-9-]+)?$/;

/**
 * Classifies a tag.
 * @param service the repository's service: images released before these pipelines existed carry the Git tag as it was,
 *   `v0.5.0` or `tgo-api-v0.3.1`, and count as versions too
 */
export function kindOfTag(tag: string, service?: string): TagKind {
  if (tag === LATEST) return { kind: "latest" };
  const build = BUILD_TAG.exec(tag)?.[1];
  if (build === "candidate" || build === "staging" || build === "variant") return { kind: build };
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

/** Whether a floating tag may point to this version: 1.2 to 1.2.x only, latest to any. */
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
