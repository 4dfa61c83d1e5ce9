import { TgoError } from "@tgo/errors";
import SemVer from "semver/classes/semver.js";

/** A semantic version that can be a tag: https://semver.org/spec/v2.0.0.html without build metadata. */
export interface Version {
  /** The tag, without a `v`: "1.2.3-rc.1". Two versions are equal exactly when their texts are. */
  readonly text: string;
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** Identifiers after the dash; empty for a stable version. */
  readonly prerelease: readonly (string | number)[];
  readonly stable: boolean;
}

/** https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests */
const MAX_TAG = 128;

export const VERSION_GRAMMAR =
  "A version is MAJOR.MINOR.PATCH, or MAJOR.MINOR.PATCH-PRERELEASE (semantic versioning 2.0), " +
  "with or without a v in front: 1.2.3, v1.2.3, 2.0.0-rc.1.";

/**
 * Parses a version strictly, with or without a `v`.
 * @param where the flag or variable it came from, for the message
 * @throws TgoError USAGE with the reason, a suggestion where one is obvious, and the grammar
 */
export function parseVersion(text: string, where?: string): Version {
  const version = readVersion(text);
  if (version !== undefined) return version;
  const nearest = nearestVersion(text);
  throw new TgoError("USAGE", `"${text}" is not a version: ${whyNot(text)}`, {
    ...(where === undefined ? {} : { where }),
    remedy: [...(nearest === undefined ? [] : [`Write ${nearest}.`]), VERSION_GRAMMAR].join("\n"),
  });
}

/** The version a text names, or undefined: for text written by others, such as annotations and tags. */
export function readVersion(text: string): Version | undefined {
  const bare = text.replace(/^v/, "");
  const parsed = parse(bare);
  if (parsed === undefined) return undefined;
  const { major, minor, patch, prerelease } = parsed;
  const version = { text: bare, major, minor, patch, prerelease, stable: prerelease.length === 0 };
  PARSED.set(version, parsed);
  return version;
}

/** Saves parsing again: a repository has hundreds of versions, and each is compared many times. */
const PARSED = new WeakMap<Version, SemVer>();

/** Semver precedence: negative when `a` is older, 0 only for the same version. */
export function compareVersions(a: Version, b: Version): -1 | 0 | 1 {
  return (PARSED.get(a) ?? new SemVer(a.text)).compare(PARSED.get(b) ?? b.text);
}

export function isNewer(version: Version, than: Version): boolean {
  return compareVersions(version, than) > 0;
}

/** The newest version; undefined for an empty list. */
export function newestVersion(versions: readonly Version[]): Version | undefined {
  return versions.reduce<Version | undefined>(
    (best, version) => (best === undefined || isNewer(version, best) ? version : best),
    undefined,
  );
}

/** The version a text was probably meant to be; undefined where that is not obvious. */
export function nearestVersion(text: string): string | undefined {
  const bare = text.trim().replace(/^[v=\s]+/i, "");
  const match =
    /^(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:[-._ ]?(alpha|beta|rc|a|b|c|pre|dev)[-._]?(\d*))?(?:\+.*)?$/i.exec(
      bare,
    );
  const [, major = "", minor = "0", patch = "0", word, number] = match ?? [];
  const stem = [major, minor, patch].map(withoutZeros).join(".");
  const suffix = word === undefined ? "" : `-${PRERELEASE_WORDS[word.toLowerCase()] ?? word.toLowerCase()}`;
  const count = number === undefined || number === "" ? "" : `.${withoutZeros(number)}`;
  return [bare, bare.replace(/\+.*$/, ""), `${stem}${suffix}${count}`].find((guess) => parse(guess));
}

/** Python's short forms: https://packaging.python.org/en/latest/specifications/version-specifiers/ */
const PRERELEASE_WORDS: Readonly<Record<string, string>> = { a: "alpha", b: "beta", c: "rc" };

function withoutZeros(digits: string): string {
  return digits.replace(/^0+(?=\d)/, "");
}

/** Strict: the library also accepts spaces and a `v`, and drops them. */
function parse(text: string): SemVer | undefined {
  // The library throws on bad input: too slow for the many tags that look nothing like a version.
  if (text.length > MAX_TAG || !/^\d+\.\d+\.\d/.test(text)) return undefined;
  try {
    const parsed = new SemVer(text);
    const exact = parsed.version === text && parsed.prerelease.every(isExact);
    return exact ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** Larger numbers lose digits in comparisons: two different versions would be equal. */
function isExact(identifier: string | number): boolean {
  return typeof identifier === "number" || !/^\d+$/.test(identifier);
}

const REASONS: readonly (readonly [RegExp, string])[] = [
  [/^\s*$/, "it is empty"],
  [/\s/, "it contains spaces"],
  [/\+/, "a tag cannot contain build metadata (+...)"],
  [/^v?\d+$/i, "it has no minor or patch number"],
  [/^v?\d+\.\d+(?![.\d])/i, "it has no patch number"],
  [/^v?\d+(?:\.\d+){3}/i, "it has more than three numbers"],
  [/(?:^v?|[.-])0\d+(?:[.-]|$)/i, "a number has leading zeros"],
  [/^[V=]/, "it may start with a lower-case v and nothing else"],
  [/\d{16}/, "a number is too large"],
];

function whyNot(text: string): string {
  if (text.length > MAX_TAG) return `it is longer than the ${MAX_TAG} characters of a tag`;
  const reason = REASONS.find(([pattern]) => pattern.test(text))?.[1];
  return reason ?? notANumber(text) ?? "it does not follow the grammar";
}

/** "x" of 1.2.x. */
function notANumber(text: string): string | undefined {
  const [numbers = ""] = text.replace(/^v/, "").split("-", 1);
  const parts = numbers.split(".");
  const strange = parts.find((part) => part !== "" && !/^\d+$/.test(part));
  return parts.length < 3 || strange === undefined ? undefined : `"${strange}" is not a number`;
}
