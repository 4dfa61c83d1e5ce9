import type { TagTarget } from "./tag-target.js";

/** One difference from the state a finished release leaves. Some are deliberate, as after a rollback. */
export interface Disagreement {
  readonly kind:
    /** A registry could not be queried: nothing is known about it. */
    | "not asked"
    /** A floating tag points to different images in different registries. */
    | "tag differs"
    /** A floating tag exists in some registries only, or `latest` in none. */
    | "tag missing"
    /** It points to an older version than the newest of its line. */
    | "behind"
    /** It points to a newer version than any that is tagged in that registry. */
    | "ahead"
    /** It points to a prerelease, a version of another line, or an image of unknown version. */
    | "strange"
    /** One version, different images. */
    | "version differs"
    /** A version exists in some registries only. */
    | "version missing"
    /** A part of an image is missing in a registry: it cannot be pulled there. */
    | "incomplete"
    /** `latest` is not the same version in all services. */
    | "services differ";
  /** Absent when several services are affected. */
  readonly service?: string;
  /** The affected registries. */
  readonly registries: readonly string[];
  readonly tag?: string;
  readonly told: string;
  /** Likely cause and fix; without the service's name, so that several disagreements can share it. */
  readonly remedy?: string;
}

/** The tags of one registry that answered. */
export interface RegistryTags {
  readonly registry: string;
  readonly tags: ReadonlyMap<string, TagTarget>;
}

/** @param of.message without the service's name */
export function disagreement(of: {
  readonly kind: Disagreement["kind"];
  readonly service: string;
  readonly registries: readonly { readonly registry: string }[];
  readonly tag?: string;
  readonly message: string;
  readonly remedy?: string;
}): Disagreement {
  const { kind, service, registries, tag, message, remedy } = of;
  return {
    kind,
    service,
    registries: uniqueNames(registries),
    ...(tag === undefined ? {} : { tag }),
    told: `${service}: ${message}`,
    ...(remedy === undefined ? {} : { remedy }),
  };
}

export function registryNames(registries: readonly { readonly registry: string }[]): string {
  return uniqueNames(registries).join(", ");
}

function uniqueNames(registries: readonly { readonly registry: string }[]): string[] {
  return [...new Set(registries.map(({ registry }) => registry))];
}
