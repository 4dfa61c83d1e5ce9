import { heldVersion, versionsOf, type Holding } from "./holding.js";
import type { Sight } from "./sight.js";
import { inLine, isFloating, kindOfTag, type FloatingKind } from "./tag-kind.js";
import { LATEST, type TagPolicy } from "./tags.js";
import { isNewer, newestVersion, readVersion, type Version } from "./version.js";

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
  readonly service?: string | undefined;
  /** Where it is so. */
  readonly registries: readonly string[];
  readonly tag?: string | undefined;
  readonly told: string;
}

export interface SeenService {
  readonly service: string;
  readonly policy: TagPolicy | undefined;
  readonly places: readonly Pick<Sight, "registry" | "held">[];
}

interface Place {
  readonly registry: string;
  readonly tags: ReadonlyMap<string, Holding>;
}

/** Everything that disagrees, service by service. */
export function compareStatus(services: readonly SeenService[]): readonly Disagreement[] {
  return [...services.flatMap(ofService), ...acrossServices(services)];
}

function ofService({ service, policy, places: all }: SeenService): Disagreement[] {
  const places = seenPlaces(all);
  const unseen = all.flatMap(({ registry, held }): Disagreement[] =>
    held.state === "seen"
      ? []
      : [
          {
            kind: "not asked",
            service,
            registries: [registry],
            told: `${service}: ${registry} could not be asked: ${held.why}`,
          },
        ],
  );
  const floating = [...new Set(places.flatMap(({ tags }) => [...tags.keys()]))].filter((tag) =>
    isFloating(kindOfTag(tag)),
  );
  floating.sort((a, b) => rank(a) - rank(b) || b.localeCompare(a, "en", { numeric: true }));
  return [
    ...unseen,
    ...floating.flatMap((tag) => ofFloatingTag(service, tag, places)),
    ...withoutLatest(service, policy, places),
    ...differingVersions(service, places),
    ...missingVersions(service, places),
  ];
}

function rank(tag: string): number {
  return tag === LATEST ? 0 : 1;
}

function seenPlaces(places: SeenService["places"]): Place[] {
  return places.flatMap(({ registry, held }) =>
    held.state === "seen" ? [{ registry, tags: held.tags }] : [],
  );
}

function ofFloatingTag(service: string, tag: string, places: readonly Place[]): Disagreement[] {
  const kind = kindOfTag(tag);
  if (!isFloating(kind)) return [];
  const found: Disagreement[] = [];
  const groups = groupBy(places, ({ tags }) => tags.get(tag)?.digest);
  const missing = groups.get(undefined) ?? [];
  const there = [...groups].filter(([digest]) => digest !== undefined);
  if (there.length > 1) {
    const parts = there.map(([, group]) => `${nameOf(group[0]?.tags.get(tag))} in ${names(group)}`);
    found.push(say("tag differs", service, places, tag, `${tag} is ${parts.join(", and ")}`));
  }
  if (missing.length > 0)
    found.push(say("tag missing", service, missing, tag, `there is no ${tag} in ${names(missing)}`));
  const judged = places.flatMap((place) => {
    const holding = place.tags.get(tag);
    const judgement = holding && judge(service, tag, kind, holding, place.tags);
    return judgement === undefined ? [] : [{ ...judgement, place }];
  });
  for (const [, group] of groupBy(judged, ({ told }) => told)) {
    const [first] = group;
    const at = group.map(({ place }) => place);
    if (first !== undefined) found.push(say(first.kind, service, at, tag, `${first.told} (${names(at)})`));
  }
  return found;
}

/** One floating tag in one registry, held against the versions there. */
function judge(
  service: string,
  tag: string,
  kind: FloatingKind,
  { digest, version }: Holding,
  tags: ReadonlyMap<string, Holding>,
): { kind: "behind" | "ahead" | "strange"; told: string } | undefined {
  if (version === undefined)
    return { kind: "strange", told: `${tag} is ${short(digest)}, and nothing says which version that is` };
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
    return { kind: "behind", told: `${tag} is ${version.text}, the newest is ${newest.text}` };
  const tagged = heldVersion(tags, version, service);
  if (tagged === undefined || tagged.digest === digest) return undefined;
  return {
    kind: "strange",
    told: `${tag} calls itself ${version.text}, but is another image than ${tagged.tag}`,
  };
}

/** A tag that is nowhere is missed only where it should be. */
function withoutLatest(
  service: string,
  policy: TagPolicy | undefined,
  places: readonly Place[],
): Disagreement[] {
  if (policy?.latest !== true || places.length === 0 || places.some(({ tags }) => tags.has(LATEST)))
    return [];
  const newest = newestVersion(
    places.flatMap(({ tags }) => versionsOf(tags, service).filter((v) => v.stable)),
  );
  if (newest === undefined) return [];
  const told = `there is no ${LATEST} anywhere, though there is ${newest.text}`;
  return [say("tag missing", service, places, LATEST, told)];
}

function differingVersions(service: string, places: readonly Place[]): Disagreement[] {
  return allVersions(service, places).flatMap((version) => {
    const spellings = places.flatMap((place) =>
      [...place.tags].flatMap(([tag, { digest }]) => {
        const kind = kindOfTag(tag, service);
        const same = kind.kind === "version" && kind.version.text === version.text;
        return same ? [{ ...place, tag, digest }] : [];
      }),
    );
    const groups = [...groupBy(spellings, ({ digest }) => digest)];
    if (groups.length < 2) return [];
    const parts = groups.map(([digest, group]) => {
      const tags = [...new Set(group.map(({ tag }) => tag))].filter((tag) => tag !== version.text);
      return `${short(digest)} in ${names(group)}${tags.length === 0 ? "" : ` (as ${tags.join(", ")})`}`;
    });
    return [
      say("version differs", service, places, version.text, `${version.text} is ${parts.join(", and ")}`),
    ];
  });
}

/** The most that one line names; a registry that was added later lacks everything before. */
const MOST_NAMED = 3;

function missingVersions(service: string, places: readonly Place[]): Disagreement[] {
  const all = allVersions(service, places);
  return places.flatMap((place) => {
    const missing = all.filter((version) => heldVersion(place.tags, version, service) === undefined);
    if (missing.length === 0) return [];
    const named = missing.slice(0, MOST_NAMED).map(({ text }) => text);
    const more = missing.length - named.length;
    const told = `${place.registry} lacks ${named.join(", ")}${more === 0 ? "" : ` and ${more} older`}`;
    return [say("version missing", service, [place], undefined, `${told}, which other registries have`)];
  });
}

/** The newest first. */
function allVersions(service: string, places: readonly Place[]): readonly Version[] {
  return versionsOf(new Map(places.flatMap(({ tags }) => [...tags])), service);
}

/** Users install all services together, on `latest`: one that is left behind breaks the others. */
function acrossServices(services: readonly SeenService[]): Disagreement[] {
  const settled = services.flatMap(({ service, places }) => {
    const seen = seenPlaces(places);
    const versions = [...new Set(seen.map(({ tags }) => tags.get(LATEST)?.version?.text))];
    const [version] = versions;
    return versions.length === 1 && version !== undefined ? [{ service, version, seen }] : [];
  });
  const groups = [...groupBy(settled, ({ version }) => version)].sort(([a], [b]) => order(b, a));
  if (groups.length < 2) return [];
  const parts = groups.map(
    ([version, group]) => `${version} in ${group.map(({ service }) => service).join(", ")}`,
  );
  const registries = [...new Set(settled.flatMap(({ seen }) => seen.map(({ registry }) => registry)))];
  return [{ kind: "services differ", registries, tag: LATEST, told: `${LATEST} is ${parts.join(", and ")}` }];
}

function order(a: string, b: string): number {
  const [left, right] = [readVersion(a), readVersion(b)];
  if (left === undefined || right === undefined) return 0;
  return isNewer(left, right) ? 1 : -1;
}

function say(
  kind: Disagreement["kind"],
  service: string,
  places: readonly { readonly registry: string }[],
  tag: string | undefined,
  told: string,
): Disagreement {
  return { kind, service, registries: registriesOf(places), tag, told: `${service}: ${told}` };
}

function nameOf(holding: Holding | undefined): string {
  if (holding === undefined) return "absent";
  return holding.version === undefined
    ? short(holding.digest)
    : `${holding.version.text} (${short(holding.digest)})`;
}

/** As the reports' tables show it: the first 12 hex digits. */
function short(digest: string): string {
  return digest.replace(/^sha256:/, "").slice(0, 12);
}

function names(places: readonly { readonly registry: string }[]): string {
  return registriesOf(places).join(", ");
}

function registriesOf(places: readonly { readonly registry: string }[]): string[] {
  return [...new Set(places.map(({ registry }) => registry))];
}

function groupBy<T, K>(items: readonly T[], key: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}
