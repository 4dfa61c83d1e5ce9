import type { TagTarget } from "./tag-target.js";

/** One thing that is not as a finished release leaves it. Some are deliberate, as after a rollback. */
export interface Disagreement {
  readonly kind:
    /** A registry could not be asked: nothing is known of it. */
    | "not asked"
    /** A floating tag stands for different images in different registries. */
    | "tag differs"
    /** A floating tag is there in some registries only, or `latest` nowhere. */
    | "tag missing"
    /** It stands for an older version than the newest of its line. */
    | "behind"
    /** It stands for a newer version than any that is tagged in that registry. */
    | "ahead"
    /** It stands for a prerelease, a version of another line, or an image of unknown version. */
    | "strange"
    /** One version, different images. */
    | "version differs"
    /** A version is there in some registries only. */
    | "version missing"
    /** `latest` is not the same version in all services. */
    | "services differ";
  /** Absent when it is about several. */
  readonly service?: string;
  /** Where it is so. */
  readonly registries: readonly string[];
  readonly tag?: string;
  readonly told: string;
  /** How it may have come about, and what ends it; without the service, so that several may share it. */
  readonly remedy?: string;
}

/** One registry that could be asked. */
export interface RegistryTags {
  readonly registry: string;
  readonly tags: ReadonlyMap<string, TagTarget>;
}

export function disagreement(
  kind: Disagreement["kind"],
  service: string,
  places: readonly { readonly registry: string }[],
  tag: string | undefined,
  told: string,
): Disagreement {
  return { kind, service, registries: registriesOf(places), tag, told: `${service}: ${told}` };
}

export function registryNames(places: readonly { readonly registry: string }[]): string {
  return registriesOf(places).join(", ");
}

function registriesOf(places: readonly { readonly registry: string }[]): string[] {
  return [...new Set(places.map(({ registry }) => registry))];
}

/** As the reports' tables show it: the first 12 hex digits. */
export function shortDigest(digest: string): string {
  return digest.replace(/^sha256:/, "").slice(0, 12);
}
