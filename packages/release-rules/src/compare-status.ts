import type { Disagreement, RegistryTags } from "./disagreement.js";
import { floatingDisagreements } from "./floating-status.js";
import { groupBy } from "./group-by.js";
import type { RegistrySnapshot } from "./registry-snapshot.js";
import { LATEST, type TagPolicy } from "./tag-plan.js";
import { isNewer, readVersion } from "./version.js";
import { versionDisagreements } from "./version-status.js";

/** One service, as every registry was seen. */
export interface SeenService {
  readonly service: string;
  readonly policy: TagPolicy | undefined;
  readonly places: readonly Pick<RegistrySnapshot, "registry" | "contents">[];
}

/** Everything that disagrees, service by service. */
export function compareStatus(services: readonly SeenService[]): readonly Disagreement[] {
  return [...services.flatMap(ofService), ...acrossServices(services)];
}

function ofService({ service, policy, places: all }: SeenService): Disagreement[] {
  const places = seenPlaces(all);
  const unseen = all.flatMap(({ registry, contents }): Disagreement[] =>
    contents.state === "seen"
      ? []
      : [
          {
            kind: "not asked",
            service,
            registries: [registry],
            told: `${service}: ${registry} could not be asked: ${contents.why}`,
          },
        ],
  );
  return [
    ...unseen,
    ...floatingDisagreements(service, policy, places),
    ...versionDisagreements(service, places),
  ];
}

function seenPlaces(places: SeenService["places"]): RegistryTags[] {
  return places.flatMap(({ registry, contents }) =>
    contents.state === "seen" ? [{ registry, tags: contents.tags }] : [],
  );
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
