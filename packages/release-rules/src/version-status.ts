import { disagreement, registryNames, type Disagreement, type RegistryTags } from "./disagreement.js";
import { groupBy } from "./group-by.js";
import { shortDigest } from "./short-digest.js";
import { kindOfTag } from "./tag-kind.js";
import { planTags, type TagPolicy } from "./tag-plan.js";
import { tagOfVersion, versionsOf } from "./tag-target.js";
import type { Version } from "./version.js";

/** Versions of a service that are different images in different registries, or missing from some. */
export function versionDisagreements(
  service: string,
  policy: TagPolicy | undefined,
  registries: readonly RegistryTags[],
): Disagreement[] {
  return [
    ...differingVersions(service, registries),
    ...missingVersions(service, registries),
    ...missingAlias(service, policy, registries),
  ];
}

function differingVersions(service: string, registries: readonly RegistryTags[]): Disagreement[] {
  const tagged = registries.flatMap(({ registry, tags }) =>
    [...tags].flatMap(([tag, { digest }]) => {
      const kind = kindOfTag(tag, service);
      return kind.kind === "version" ? [{ registry, tag, digest, version: kind.version.text }] : [];
    }),
  );
  const byVersion = groupBy(tagged, ({ version }) => version);
  return allVersions(service, registries).flatMap(({ text }) => {
    const groups = [...groupBy(byVersion.get(text) ?? [], ({ digest }) => digest)];
    if (groups.length < 2) return [];
    const parts = groups.map(([digest, group]) => {
      const spellings = [...new Set(group.map(({ tag }) => tag))].filter((tag) => tag !== text);
      return `${shortDigest(digest)} in ${registryNames(group)}${spellings.length === 0 ? "" : ` (as ${spellings.join(", ")})`}`;
    });
    const message = `${text} is ${parts.join(", and ")}`;
    return [disagreement({ kind: "version differs", service, registries, tag: text, message })];
  });
}

/** Versions named in one line; a registry that was added later lacks everything older. */
const MAX_NAMED = 3;

function missingVersions(service: string, registries: readonly RegistryTags[]): Disagreement[] {
  const all = allVersions(service, registries);
  return registries.flatMap((registry) => {
    const missing = all.filter((version) => tagOfVersion(registry.tags, version, service) === undefined);
    if (missing.length === 0) return [];
    const named = missing.slice(0, MAX_NAMED).map(({ text }) => text);
    const more = missing.length - named.length;
    const lacking = `${registry.registry} lacks ${named.join(", ")}${more === 0 ? "" : ` and ${more} older`}`;
    const message = `${lacking}, which other registries have`;
    return [disagreement({ kind: "version missing", service, registries: [registry], message })];
  });
}

/** The alias of the newest version only: older ones may be from before the policy asked for it. */
function missingAlias(
  service: string,
  policy: TagPolicy | undefined,
  registries: readonly RegistryTags[],
): Disagreement[] {
  const [newest] = allVersions(service, registries);
  if (newest === undefined || policy === undefined) return [];
  const { alias } = planTags(newest, policy, service);
  if (alias === undefined) return [];
  const without = registries.filter(({ tags }) => tags.has(newest.text) && !tags.has(alias));
  if (without.length === 0) return [];
  const message = `there is no ${alias} beside ${newest.text} in ${registryNames(without)}`;
  const remedy = `promote --version ${newest.text} writes it.`;
  return [disagreement({ kind: "tag missing", service, registries: without, tag: alias, message, remedy })];
}

/** Newest first. */
function allVersions(service: string, registries: readonly RegistryTags[]): readonly Version[] {
  return versionsOf(new Map(registries.flatMap(({ tags }) => [...tags])), service);
}
