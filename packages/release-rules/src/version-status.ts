import {
  registryNames,
  disagreement,
  shortDigest,
  type Disagreement,
  type RegistryTags,
} from "./disagreement.js";
import { groupBy } from "./group-by.js";
import { tagOfVersion, versionsOf } from "./tag-target.js";
import { kindOfTag } from "./tag-kind.js";
import type { Version } from "./version.js";

/** What is wrong with a service's version tags: one version that is two images, or not everywhere. */
export function versionDisagreements(service: string, places: readonly RegistryTags[]): Disagreement[] {
  return [...differingVersions(service, places), ...missingVersions(service, places)];
}

function differingVersions(service: string, places: readonly RegistryTags[]): Disagreement[] {
  const tagged = places.flatMap(({ registry, tags }) =>
    [...tags].flatMap(([tag, { digest }]) => {
      const kind = kindOfTag(tag, service);
      return kind.kind === "version" ? [{ registry, tag, digest, version: kind.version.text }] : [];
    }),
  );
  const byVersion = groupBy(tagged, ({ version }) => version);
  return allVersions(service, places).flatMap(({ text }) => {
    const groups = [...groupBy(byVersion.get(text) ?? [], ({ digest }) => digest)];
    if (groups.length < 2) return [];
    const parts = groups.map(([digest, group]) => {
      const spellings = [...new Set(group.map(({ tag }) => tag))].filter((tag) => tag !== text);
      return `${shortDigest(digest)} in ${registryNames(group)}${spellings.length === 0 ? "" : ` (as ${spellings.join(", ")})`}`;
    });
    return [disagreement("version differs", service, places, text, `${text} is ${parts.join(", and ")}`)];
  });
}

/** The most that one line names; a registry that was added later lacks everything before. */
const MOST_NAMED = 3;

function missingVersions(service: string, places: readonly RegistryTags[]): Disagreement[] {
  const all = allVersions(service, places);
  return places.flatMap((place) => {
    const missing = all.filter((version) => tagOfVersion(place.tags, version, service) === undefined);
    if (missing.length === 0) return [];
    const named = missing.slice(0, MOST_NAMED).map(({ text }) => text);
    const more = missing.length - named.length;
    const told = `${place.registry} lacks ${named.join(", ")}${more === 0 ? "" : ` and ${more} older`}`;
    return [
      disagreement("version missing", service, [place], undefined, `${told}, which other registries have`),
    ];
  });
}

/** The newest first. */
function allVersions(service: string, places: readonly RegistryTags[]): readonly Version[] {
  return versionsOf(new Map(places.flatMap(({ tags }) => [...tags])), service);
}
