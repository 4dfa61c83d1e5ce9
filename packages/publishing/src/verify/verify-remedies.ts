import { commandLine } from "@tgo/errors";
import type { InspectedImage, RemedyFor } from "@tgo/image";
import { compareVersions, isFloating, kindOfTag, readVersion, type Version } from "@tgo/release-rules";

/** What is verified. */
export interface VerifiedTag {
  readonly service: string;
  /** Or the digest. */
  readonly tag: string;
}

const PUBLISH =
  "Run publish with the same source: it copies what is missing from a registry that has it, and builds what none has.";
const NEXT_VERSION = "A version's tag never changes: release a fixed image as the next version.";

/** The remedies for what is wrong with a tag: a version and a floating tag are mended by promote, a candidate by publish. */
export function verifyRemedies({ service, tag }: VerifiedTag): RemedyFor {
  const kind = kindOfTag(tag, service);
  const promote = (version: string, flags: Readonly<Record<string, true>> = {}): string =>
    commandLine("promote", { service: [service], version, ...flags });
  const restore = (version: string | undefined, all: readonly InspectedImage[]): string | undefined => {
    if (version === undefined) return undefined;
    const complete = all.filter((image) => image.complete && image.version === version);
    if (complete.length === 0)
      return `No registry has all of ${version}: run its release command again, with the same source.`;
    return `${names(complete)} ${complete.length === 1 ? "has" : "have"} all of ${version}. This copies it from there:\n${promote(version)}`;
  };
  return (finding, found, all) => {
    if (["candidate", "staging", "variant"].includes(kind.kind))
      return finding === "wrong image" ? undefined : PUBLISH;
    const versions = taggedVersions(all);
    switch (finding) {
      case "missing": {
        const version = kind.kind === "version" ? kind.version.text : versions[0]?.text;
        if (all.some(({ digest }) => digest !== undefined)) return restore(version, all);
        const status = commandLine("status", { service: [service] });
        return `No registry has it. To see what is released:\n${status}`;
      }
      case "incomplete":
        return restore(found.version, all);
      case "other digest": {
        if (kind.kind === "version")
          return `A version's tag never changes. Find out who pushed the other image, and remove its tag there. Then:\n${promote(kind.version.text)}`;
        return isFloating(kind) ? moveEverywhere(versions, all, promote) : undefined;
      }
      case "wrong image":
        return kind.kind === "version" || isFloating(kind) ? NEXT_VERSION : undefined;
    }
  };
}

/** Every version that a floating tag could be meant to have, newest first. */
function moveEverywhere(
  versions: readonly Version[],
  all: readonly InspectedImage[],
  promote: (version: string, flags?: Readonly<Record<string, true>>) => string,
): string | undefined {
  const [newest, ...older] = versions;
  if (newest === undefined) return undefined;
  const others = all.filter(({ digest }) => digest !== undefined);
  const digests = new Set(others.flatMap(({ version, digest }) => (version === newest.text ? digest : [])));
  const isUnknown =
    digests.size > 1 || others.some(({ version }) => readVersion(version ?? "") === undefined);
  const forward = promote(newest.text, isUnknown ? { "adopt-latest": true } : {});
  return [
    `For ${newest.text} in every registry:`,
    forward,
    ...older.flatMap(({ text }) => [
      `If ${text} is meant instead, as after a rollback:`,
      promote(text, { "allow-backwards": true }),
    ]),
  ].join("\n");
}

/** Newest first. */
function taggedVersions(all: readonly InspectedImage[]): Version[] {
  const texts = new Set(all.flatMap(({ version }) => version ?? []));
  return [...texts].flatMap((text) => readVersion(text) ?? []).sort((a, b) => compareVersions(b, a));
}

function names(images: readonly InspectedImage[]): string {
  return images.map(({ name }) => name).join(", ");
}
