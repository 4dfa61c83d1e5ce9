import type { Mirrors } from "@tgo/catalog";

/** Where Debian's two archives are fetched from, without a slash at the end. */
export interface DebianMirror {
  readonly archive: string;
  readonly security: string;
  /** A fixed state of the archive, as https://snapshot.debian.org keeps them: its lists are long out of date. */
  readonly frozen: boolean;
}

/**
 * The catalog's mirror of the Debian archive. The security archive is expected beside it: `.../debian-security` for
 * `.../debian`, and on a snapshot server at the same moment.
 */
export function debianMirror({ debian, debianSecurity }: Mirrors): DebianMirror | undefined {
  if (debian === undefined && debianSecurity === undefined) return undefined;
  const archive = (debian ?? "http://deb.debian.org/debian").replace(/\/+$/, "");
  const beside = SNAPSHOT.test(archive)
    ? archive.replace("/archive/debian/", "/archive/debian-security/")
    : `${archive}-security`;
  const security = debianSecurity?.replace(/\/+$/, "") ?? beside;
  return { archive, security, frozen: SNAPSHOT.test(archive) || SNAPSHOT.test(security) };
}

const SNAPSHOT = /\/archive\/debian(-security)?\/\d{8}T\d{6}Z$/;

/** Debian's own addresses: the archive's group the archive, the others the security archive. */
const SECURITY =
  /https?:\/\/(?:security\.debian\.org(?:\/debian-security)?|deb\.debian\.org\/debian-security)\/?(?=[\s\]]|$)/g;
const ARCHIVE = /https?:\/\/deb\.debian\.org\/debian\/?(?=[\s\]]|$)/g;

/**
 * A base image's apt sources with Debian's addresses replaced; suites, components, keys and other archives stay.
 * @param name of the file: `.sources` has stanzas of fields (deb822), others one source a line
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
      // An option of that source alone: other archives' lists stay checked.
      const isFrozen = mirror.frozen && replaced !== line && /^URIs:/i.test(line);
      return isFrozen ? [replaced, "Check-Valid-Until: no"] : [replaced];
    })
    .join("\n");
}

function mirroredLines(text: string, mirror: DebianMirror): string {
  return text
    .split("\n")
    .map((line) => {
      if (line.trimStart().startsWith("#")) return line;
      const replaced = replaceAddresses(line, mirror);
      if (replaced === line || !mirror.frozen) return replaced;
      return /^\s*deb(-src)?\s+\[/.test(replaced)
        ? replaced.replace("[", "[check-valid-until=no ")
        : replaced.replace(/^(\s*deb(?:-src)?)\s+/, "$1 [check-valid-until=no] ");
    })
    .join("\n");
}

function replaceAddresses(line: string, { archive, security }: DebianMirror): string {
  return line.replaceAll(SECURITY, () => security).replaceAll(ARCHIVE, () => archive);
}
