import type * as v from "@tgo/schemas";
import { snapshotOf, type RegistrySnapshot } from "./registry-snapshot.js";
import type { PlannedService, ReleasePlan } from "./release-plan.js";
import { RECORD_MEDIA_TYPE, type ReleaseRecord } from "./release-record.js";
import { inLine, isFloating, kindOfTag } from "./tag-kind.js";
import { versionTags } from "./tag-plan.js";
import { isSettled, type TagStep } from "./tag-steps.js";
import { versionsOf } from "./tag-target.js";
import { isNewer } from "./version.js";

/** What an image says about itself, and what its verification found. */
export interface ReleasedImage {
  readonly revision: string | undefined;
  readonly candidate: string | undefined;
  /** Commit time, RFC 3339; anything else is ignored. */
  readonly created: string | undefined;
  readonly platforms: readonly {
    readonly platform: string;
    readonly digest: string;
    readonly size: number;
  }[];
}

/**
 * The record of a release, from its plan and the registries' final contents. It does not say who ran the release or
 * when, so a repeated release produces the same bytes.
 * @param images by service; a service whose image could not be verified is left out
 * @param repository host and path of a service in a registry
 * @returns undefined when no image could be verified
 */
export function composeRecord(release: {
  readonly plan: ReleasePlan;
  readonly steps: readonly TagStep[];
  readonly now: readonly RegistrySnapshot[];
  readonly images: ReadonlyMap<string, ReleasedImage>;
  readonly repository: (registry: string, service: string) => string;
  readonly pipeline: string;
}): v.InferInput<typeof ReleaseRecord> | undefined {
  const { plan, steps, now, images, repository, pipeline } = release;
  const services = plan.services.flatMap(({ service, digest }) => {
    const image = images.get(service);
    if (image === undefined || image.platforms.length === 0) return [];
    const { revision = "unknown", candidate, platforms } = image;
    const registries = plan.registries.map(({ registry }) => {
      const own = steps.filter((step) => step.service === service && step.registry === registry);
      const recorded = {
        reference: `${repository(registry, service)}@${digest}`,
        tags: own.filter(({ status }) => status.state === "already there").map(({ tag }) => tag),
        state: own.every(isSettled) ? ("complete" as const) : ("incomplete" as const),
      };
      return [registry, recorded] as const;
    });
    const identity = { digest, revision, ...(candidate === undefined ? {} : { candidate }) };
    return [
      [service, { ...identity, platforms: [...platforms], registries: Object.fromEntries(registries) }],
    ];
  });
  if (services.length === 0) return undefined;
  const createdAt = newestTime([...images.values()].map(({ created }) => created));
  return {
    schemaVersion: 1,
    mediaType: RECORD_MEDIA_TYPE,
    kind: isRollback(plan, steps, now) ? "rollback" : "release",
    version: plan.version.text,
    tags: tagsOf(plan.services),
    services: Object.fromEntries(services) as v.InferInput<typeof ReleaseRecord>["services"],
    pipeline,
    ...(createdAt === undefined ? {} : { createdAt }),
  };
}

/**
 * Whether a floating tag was deliberately left on this version although its registry has a newer one of the same line.
 * The tag's previous target does not matter: a repeated rollback moves nothing and is still a rollback.
 */
function isRollback(plan: ReleasePlan, steps: readonly TagStep[], now: readonly RegistrySnapshot[]): boolean {
  if (!plan.allowBackwards) return false;
  return steps.some(({ service, registry, tag, status }) => {
    const contents = snapshotOf(now, service, registry);
    const kind = kindOfTag(tag);
    if (!isFloating(kind) || status.state !== "already there" || contents.state !== "seen") return false;
    return versionsOf(contents.tags, service).some(
      (other) => other.stable && inLine(kind, other) && isNewer(other, plan.version),
    );
  });
}

/** The version's own tag first, then the floating ones in the order of writing. */
function tagsOf(services: readonly PlannedService[]): string[] {
  return [
    ...new Set([
      ...services.flatMap(({ tags }) => versionTags(tags)),
      ...services.flatMap(({ tags }) => tags.floating),
    ]),
  ];
}

function newestTime(texts: readonly (string | undefined)[]): string | undefined {
  const times = texts.map((text) => new Date(text ?? Number.NaN).getTime()).filter(Number.isFinite);
  return times.length === 0 ? undefined : new Date(Math.max(...times)).toISOString();
}
