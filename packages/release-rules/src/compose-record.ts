import type * as z from "zod/mini";
import { versionsOf } from "./tag-target.js";
import type { PlannedService, ReleasePlan } from "./release-plan.js";
import { RECORD_MEDIA_TYPE, type ReleaseRecord } from "./release-record.js";
import { snapshotOf, type RegistrySnapshot } from "./registry-snapshot.js";
import { isSettled, type TagStep } from "./tag-steps.js";
import { inLine, isFloating, kindOfTag } from "./tag-kind.js";
import { isNewer } from "./version.js";

/** What an image says of itself, and what was seen of it when it was verified. */
export interface ReleasedImage {
  readonly revision: string | undefined;
  readonly candidate: string | undefined;
  /** Time of its commit, RFC 3339; anything else counts as none. */
  readonly created: string | undefined;
  readonly platforms: readonly {
    readonly platform: string;
    readonly digest: string;
    readonly size: number;
  }[];
}

/**
 * The record of a release, from its plan and from what the registries hold at its end. It says nothing of who did it
 * and when, so that a release that is repeated is recorded in the same bytes.
 * @param images by service; a service whose image nobody could verify is left out
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
}): z.input<typeof ReleaseRecord> | undefined {
  const { plan, steps, now, images, repository, pipeline } = release;
  const services = plan.services.flatMap(({ service, digest }) => {
    const image = images.get(service);
    if (image === undefined || image.platforms.length === 0) return [];
    const { revision = "unknown", candidate, platforms } = image;
    const registries = plan.registries.map(({ registry }) => {
      const own = steps.filter((step) => step.service === service && step.registry === registry);
      const place = {
        reference: `${repository(registry, service)}@${digest}`,
        tags: own.filter(({ status }) => status.state === "already there").map(({ tag }) => tag),
        state: own.every(isSettled) ? ("complete" as const) : ("incomplete" as const),
      };
      return [registry, place] as const;
    });
    const facts = { digest, revision, ...(candidate === undefined ? {} : { candidate }) };
    return [[service, { ...facts, platforms: [...platforms], registries: Object.fromEntries(registries) }]];
  });
  if (services.length === 0) return undefined;
  const createdAt = newestTime([...images.values()].map(({ created }) => created));
  return {
    schemaVersion: 1,
    mediaType: RECORD_MEDIA_TYPE,
    kind: isRollback(plan, steps, now) ? "rollback" : "release",
    version: plan.version.text,
    tags: tagsOf(plan.services),
    services: Object.fromEntries(services) as z.input<typeof ReleaseRecord>["services"],
    pipeline,
    ...(createdAt === undefined ? {} : { createdAt }),
  };
}

/**
 * Whether a floating tag stands for this version though its registry has a newer one of its line, because that was asked
 * for. What was there before does not count: repeated, a rollback moves nothing and is one all the same.
 */
function isRollback(plan: ReleasePlan, steps: readonly TagStep[], now: readonly RegistrySnapshot[]): boolean {
  if (!plan.allowBackwards) return false;
  return steps.some(({ service, registry, tag, status }) => {
    const sight = snapshotOf(now, service, registry);
    const kind = kindOfTag(tag);
    if (!isFloating(kind) || status.state !== "already there" || sight.state !== "seen") return false;
    return versionsOf(sight.tags, service).some(
      (other) => other.stable && inLine(kind, other) && isNewer(other, plan.version),
    );
  });
}

/** The version's own first, then the floating ones in the order of writing. */
function tagsOf(services: readonly PlannedService[]): string[] {
  return [
    ...new Set([
      ...services.map(({ tags }) => tags.version),
      ...services.flatMap(({ tags }) => tags.floating),
    ]),
  ];
}

function newestTime(texts: readonly (string | undefined)[]): string | undefined {
  const times = texts.map((text) => new Date(text ?? Number.NaN).getTime()).filter(Number.isFinite);
  return times.length === 0 ? undefined : new Date(Math.max(...times)).toISOString();
}
