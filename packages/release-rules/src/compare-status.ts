import type { Disagreement, RegistryTags } from "./disagreement.js";
import { floatingDisagreements } from "./floating-status.js";
import { groupBy } from "./group-by.js";
import type { RegistrySnapshot } from "./registry-snapshot.js";
import { LATEST } from "./tag-kind.js";
import type { TagPolicy } from "./tag-plan.js";
import { isNewer, readVersion } from "./version.js";
import { versionDisagreements } from "./version-status.js";

/** One service with its snapshot of every registry. */
export interface ServiceSnapshots {
  readonly service: string;
  readonly policy: TagPolicy | undefined;
  readonly snapshots: readonly Pick<RegistrySnapshot, "registry" | "contents">[];
}

/** Everything that disagrees, service by service. */
export function compareStatus(services: readonly ServiceSnapshots[]): readonly Disagreement[] {
  return [...services.flatMap(ofService), ...acrossServices(services)];
}

function ofService({ service, policy, snapshots }: ServiceSnapshots): Disagreement[] {
  const registries = reachableTags(snapshots);
  const unreachable = snapshots.flatMap(({ registry, contents }): Disagreement[] =>
    contents.state === "seen"
      ? []
      : [
          {
            kind: "not asked",
            service,
            registries: [registry],
            told: `${service}: ${registry} could not be queried: ${contents.why}`,
          },
        ],
  );
  return [
    ...unreachable,
    ...floatingDisagreements(service, policy, registries),
    ...versionDisagreements(service, policy, registries),
  ];
}

function reachableTags(snapshots: ServiceSnapshots["snapshots"]): RegistryTags[] {
  return snapshots.flatMap(({ registry, contents }) =>
    contents.state === "seen" ? [{ registry, tags: contents.tags }] : [],
  );
}

/** Users install all services together, on `latest`: one that is left behind breaks the others. */
function acrossServices(services: readonly ServiceSnapshots[]): Disagreement[] {
  const agreed = services.flatMap(({ service, snapshots }) => {
    const registries = reachableTags(snapshots);
    const versions = [...new Set(registries.map(({ tags }) => tags.get(LATEST)?.version?.text))];
    const [version] = versions;
    return versions.length === 1 && version !== undefined ? [{ service, version, registries }] : [];
  });
  const groups = [...groupBy(agreed, ({ version }) => version)].sort(([a], [b]) => order(b, a));
  if (groups.length < 2) return [];
  const parts = groups.map(
    ([version, group]) => `${version} in ${group.map(({ service }) => service).join(", ")}`,
  );
  const registries = [
    ...new Set(agreed.flatMap((service) => service.registries.map(({ registry }) => registry))),
  ];
  return [{ kind: "services differ", registries, tag: LATEST, told: `${LATEST} is ${parts.join(", and ")}` }];
}

function order(a: string, b: string): number {
  const [left, right] = [readVersion(a), readVersion(b)];
  if (left === undefined || right === undefined) return 0;
  return isNewer(left, right) ? 1 : -1;
}
