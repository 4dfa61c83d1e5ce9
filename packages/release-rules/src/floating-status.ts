import {
  registryNames,
  disagreement,
  shortDigest,
  type Disagreement,
  type RegistryTags,
} from "./disagreement.js";
import { groupBy } from "./group-by.js";
import { tagOfVersion, versionsOf, type TagTarget } from "./tag-target.js";
import { inLine, isFloating, kindOfTag, type FloatingKind } from "./tag-kind.js";
import { LATEST, type TagPolicy } from "./tag-plan.js";
import { isNewer, newestVersion, type Version } from "./version.js";

/** What is wrong with a service's floating tags: between registries, and against the versions in each. */
export function floatingDisagreements(
  service: string,
  policy: TagPolicy | undefined,
  places: readonly RegistryTags[],
): Disagreement[] {
  const floating = [...new Set(places.flatMap(({ tags }) => [...tags.keys()]))].filter((tag) =>
    isFloating(kindOfTag(tag)),
  );
  floating.sort((a, b) => rank(a) - rank(b) || b.localeCompare(a, "en", { numeric: true }));
  return [
    ...floating.flatMap((tag) => ofFloatingTag(service, tag, places)),
    ...withoutLatest(service, policy, places),
  ];
}

function rank(tag: string): number {
  return tag === LATEST ? 0 : 1;
}

function ofFloatingTag(service: string, tag: string, places: readonly RegistryTags[]): Disagreement[] {
  const kind = kindOfTag(tag);
  if (!isFloating(kind)) return [];
  const found: Disagreement[] = [];
  const groups = groupBy(places, ({ tags }) => tags.get(tag)?.digest);
  const missing = groups.get(undefined) ?? [];
  const there = [...groups].filter(([digest]) => digest !== undefined);
  if (there.length > 1) {
    const parts = there.map(([, group]) => `${nameOf(group[0]?.tags.get(tag))} in ${registryNames(group)}`);
    found.push(disagreement("tag differs", service, places, tag, `${tag} is ${parts.join(", and ")}`));
  }
  if (missing.length > 0)
    found.push(
      disagreement("tag missing", service, missing, tag, `there is no ${tag} in ${registryNames(missing)}`),
    );
  const judgements = places.flatMap((place) => {
    const holding = place.tags.get(tag);
    const judgement = holding && judge(service, tag, kind, holding, place.tags);
    return judgement === undefined ? [] : [{ ...judgement, place }];
  });
  for (const [, group] of groupBy(judgements, ({ told }) => told)) {
    const [first] = group;
    const at = group.map(({ place }) => place);
    if (first === undefined) continue;
    const { told, remedy } = first;
    found.push({ ...disagreement(first.kind, service, at, tag, `${told} (${registryNames(at)})`), remedy });
  }
  return found;
}

interface Judgement {
  readonly kind: "behind" | "ahead" | "strange";
  readonly told: string;
  readonly remedy?: string;
}

/** One floating tag in one registry, held against the versions there. */
function judge(
  service: string,
  tag: string,
  kind: FloatingKind,
  { digest, version }: TagTarget,
  tags: ReadonlyMap<string, TagTarget>,
): Judgement | undefined {
  if (version === undefined)
    return {
      kind: "strange",
      told: `${tag} is ${shortDigest(digest)}, and nothing says which version that is`,
    };
  if (!inLine(kind, version))
    return { kind: "strange", told: `${tag} is ${version.text}, which is no version of ${tag}` };
  if (!version.stable) return { kind: "strange", told: `${tag} is ${version.text}, a prerelease` };
  const line = versionsOf(tags, service).filter((other) => other.stable && inLine(kind, other));
  const newest = newestVersion(line);
  if (newest === undefined || isNewer(version, newest)) {
    const known = newest === undefined ? "no version" : `no version newer than ${newest.text}`;
    return { kind: "ahead", told: `${tag} is ${version.text}, but ${known} is tagged there` };
  }
  if (isNewer(newest, version))
    return {
      kind: "behind",
      told: `${tag} is ${version.text}, the newest is ${newest.text}`,
      remedy: behind(newest),
    };
  const tagged = tagOfVersion(tags, version, service);
  if (tagged === undefined || tagged.digest === digest) return undefined;
  return {
    kind: "strange",
    told: `${tag} calls itself ${version.text}, but is another image than ${tagged.tag}`,
  };
}

/** Nothing tells a rollback from a release that broke off. */
function behind({ text }: Version): string {
  return (
    `Behind ${text}: moved back on purpose, or a release did not end. The release command of ${text} ends it; ` +
    "promote says which version the floating tags stand for, with --allow-backwards an older one."
  );
}

/** A tag that is nowhere is missed only where it should be. */
function withoutLatest(
  service: string,
  policy: TagPolicy | undefined,
  places: readonly RegistryTags[],
): Disagreement[] {
  if (policy?.latest !== true || places.length === 0 || places.some(({ tags }) => tags.has(LATEST)))
    return [];
  const newest = newestVersion(
    places.flatMap(({ tags }) => versionsOf(tags, service).filter((v) => v.stable)),
  );
  if (newest === undefined) return [];
  const told = `there is no ${LATEST} anywhere, though there is ${newest.text}`;
  return [disagreement("tag missing", service, places, LATEST, told)];
}

function nameOf(holding: TagTarget | undefined): string {
  if (holding === undefined) return "absent";
  return holding.version === undefined
    ? shortDigest(holding.digest)
    : `${holding.version.text} (${shortDigest(holding.digest)})`;
}
