import { disagreement, registryNames, type Disagreement, type RegistryTags } from "./disagreement.js";
import { groupBy } from "./group-by.js";
import { shortDigest } from "./short-digest.js";
import { inLine, isFloating, kindOfTag, LATEST, type FloatingKind } from "./tag-kind.js";
import type { TagPolicy } from "./tag-plan.js";
import { tagOfVersion, versionsOf, type TagTarget } from "./tag-target.js";
import { isNewer, newestVersion, type Version } from "./version.js";

/** How a service's floating tags differ between registries, and from the versions in each. */
export function floatingDisagreements(
  service: string,
  policy: TagPolicy | undefined,
  registries: readonly RegistryTags[],
): Disagreement[] {
  const floating = [...new Set(registries.flatMap(({ tags }) => [...tags.keys()]))].filter((tag) =>
    isFloating(kindOfTag(tag)),
  );
  floating.sort((a, b) => rank(a) - rank(b) || b.localeCompare(a, "en", { numeric: true }));
  return [
    ...floating.flatMap((tag) => ofFloatingTag(service, tag, registries)),
    ...missingLatest(service, policy, registries),
  ];
}

function rank(tag: string): number {
  return tag === LATEST ? 0 : 1;
}

function ofFloatingTag(service: string, tag: string, registries: readonly RegistryTags[]): Disagreement[] {
  const kind = kindOfTag(tag);
  if (!isFloating(kind)) return [];
  const found: Disagreement[] = [];
  const groups = groupBy(registries, ({ tags }) => tags.get(tag)?.digest);
  const without = groups.get(undefined) ?? [];
  const having = [...groups].filter(([digest]) => digest !== undefined);
  if (having.length > 1) {
    const parts = having.map(([, group]) => `${nameOf(group[0]?.tags.get(tag))} in ${registryNames(group)}`);
    const message = `${tag} is ${parts.join(", and ")}`;
    found.push(disagreement({ kind: "tag differs", service, registries, tag, message }));
  }
  if (without.length > 0) {
    const message = `there is no ${tag} in ${registryNames(without)}`;
    found.push(disagreement({ kind: "tag missing", service, registries: without, tag, message }));
  }
  const findings = registries.flatMap((registry) => {
    const target = registry.tags.get(tag);
    const finding = target && checkTag({ service, tag, kind, target, tags: registry.tags });
    return finding === undefined ? [] : [{ ...finding, registry }];
  });
  for (const [, group] of groupBy(findings, ({ message }) => message)) {
    const [first] = group;
    if (first === undefined) continue;
    const { kind: problem, remedy } = first;
    const affected = group.map(({ registry }) => registry);
    const message = `${first.message} (${registryNames(affected)})`;
    found.push(
      disagreement({
        kind: problem,
        service,
        registries: affected,
        tag,
        message,
        ...(remedy === undefined ? {} : { remedy }),
      }),
    );
  }
  return found;
}

interface Finding {
  readonly kind: "behind" | "ahead" | "strange";
  readonly message: string;
  readonly remedy?: string;
}

/** Compares one floating tag in one registry with the versions tagged there. */
function checkTag(of: {
  readonly service: string;
  readonly tag: string;
  readonly kind: FloatingKind;
  readonly target: TagTarget;
  readonly tags: ReadonlyMap<string, TagTarget>;
}): Finding | undefined {
  const { service, tag, kind, tags } = of;
  const { digest, version } = of.target;
  if (version === undefined)
    return { kind: "strange", message: `${tag} is ${shortDigest(digest)}, of unknown version` };
  if (!inLine(kind, version))
    return { kind: "strange", message: `${tag} is ${version.text}, which does not belong to ${tag}` };
  if (!version.stable) return { kind: "strange", message: `${tag} is ${version.text}, a prerelease` };
  const line = versionsOf(tags, service).filter((other) => other.stable && inLine(kind, other));
  const newest = newestVersion(line);
  if (newest === undefined || isNewer(version, newest)) {
    const known = newest === undefined ? "no version" : `no version newer than ${newest.text}`;
    return { kind: "ahead", message: `${tag} is ${version.text}, but ${known} is tagged there` };
  }
  if (isNewer(newest, version))
    return {
      kind: "behind",
      message: `${tag} is ${version.text}, the newest is ${newest.text}`,
      remedy: remedyForBehind(newest),
    };
  const tagged = tagOfVersion(tags, version, service);
  if (tagged === undefined || tagged.digest === digest) return undefined;
  return {
    kind: "strange",
    message: `${tag} claims to be ${version.text}, but is a different image from ${tagged.tag}`,
  };
}

/** A rollback and an unfinished release look the same. */
function remedyForBehind({ text }: Version): string {
  return (
    `Behind ${text}: moved back on purpose, or a release did not finish. The release command of ${text} finishes it; ` +
    "promote sets the version the floating tags point to, with --allow-backwards an older one."
  );
}

/** A `latest` that exists nowhere is missing only where the policy asks for it. */
function missingLatest(
  service: string,
  policy: TagPolicy | undefined,
  registries: readonly RegistryTags[],
): Disagreement[] {
  if (policy?.latest !== true || registries.length === 0) return [];
  if (registries.some(({ tags }) => tags.has(LATEST))) return [];
  const newest = newestVersion(
    registries.flatMap(({ tags }) => versionsOf(tags, service).filter(({ stable }) => stable)),
  );
  if (newest === undefined) return [];
  const message = `there is no ${LATEST} anywhere, although ${newest.text} exists`;
  return [disagreement({ kind: "tag missing", service, registries, tag: LATEST, message })];
}

function nameOf(target: TagTarget | undefined): string {
  if (target === undefined) return "absent";
  return target.version === undefined
    ? shortDigest(target.digest)
    : `${target.version.text} (${shortDigest(target.digest)})`;
}
