import type { Mirrors } from "@tgo/catalog";

/** The addresses of Debian's two archives, without a trailing slash. */
export interface DebianMirror {
  readonly archive: string;
  readonly security: string;
  /** Whether it is a snapshot, as on https://snapshot.debian.org, whose lists have expired. */
  readonly snapshot: boolean;
}

/**
 * The catalog's mirror of the Debian archive. By default the security archive is `.../debian-security` next to
 * `.../debian`, or on a snapshot server the snapshot of the same time.
 */
export function debianMirror({ debian, debianSecurity }: Mirrors): DebianMirror | undefined {
  if (debian === undefined && debianSecurity === undefined) return undefined;
  const archive = (debian ?? "http://deb.debian.org/debian").replace(/\/+$/, "");
  const derived = SNAPSHOT.test(archive)
    ? archive.replace("/archive/debian/", "/archive/debian-security/")
    : `${archive}-security`;
  const security = debianSecurity?.replace(/\/+$/, "") ?? derived;
  return { archive, security, snapshot: SNAPSHOT.test(archive) || SNAPSHOT.test(security) };
}

const SNAPSHOT = /\/archive\/debian(-security)?\/\d{8}T\d{6}Z$/;

/** Debian's own addresses. */
const SECURITY =
  /https?:\/\/(?:security\.debian\.org(?:\/debian-security)?|deb\.debian\.org\/debian-security)\/?(?=[\s\]]|$)/g;
const ARCHIVE = /https?:\/\/deb\.debian\.org\/debian\/?(?=[\s\]]|$)/g;

/**
 * Replaces Debian's addresses in a base image's apt sources; suites, components, keys and other archives are kept.
 * @param name the file name: `.sources` files have stanzas of fields (deb822), others one source per line
 * @see https://manpages.debian.org/bookworm/apt/sources.list.5.en.html
 */
export function mirroredSources(name: string, text: string, mirror: DebianMirror): string {
  return name.endsWith(".sources") ? mirroredStanzas(text, mirror) : mirroredLines(text, mirror);
}

function mirroredStanzas(text: string, mirror: DebianMirror): string {
  return text
    .split("\n")
    .flatMap((line) => {
      if (line.startsWith("#")) return [line];
      const replaced = replaceAddresses(line, mirror);
      // An option of this source alone: lists of other archives must still be valid.
      const isSnapshot = mirror.snapshot && replaced !== line && /^URIs:/i.test(line);
      return isSnapshot ? [replaced, "Check-Valid-Until: no"] : [replaced];
    })
    .join("\n");
}

function mirroredLines(text: string, mirror: DebianMirror): string {
  return text
    .split("\n")
    .map((line) => {
      if (line.trimStart().startsWith("#")) return line;
      const replaced = replaceAddresses(line, mirror);
      if (replaced === line || !mirror.snapshot) return replaced;
      return /^\s*deb(-src)?\s+\[/.test(replaced)
        ? replaced.replace("[", "[check-valid-until=no ")
        : replaced.replace(/^(\s*deb(?:-src)?)\s+/, "$1 [check-valid-until=no] ");
    })
    .join("\n");
}

function replaceAddresses(line: string, { archive, security }: DebianMirror): string {
  return line.replaceAll(SECURITY, () => security).replaceAll(ARCHIVE, () => archive);
}
