import { TgoError } from "@tgo/errors";
import { parse } from "@tgo/schemas";
import type { OpenGate, ReleaseRegistry } from "./gate.js";
import { planTags, TagPolicy, type TagPlan } from "./tag-plan.js";
import type { Version } from "./version.js";

/** Every tag a release has to write, and where. Only an open gate yields a plan. */
export interface ReleasePlan {
  readonly version: Version;
  readonly services: readonly PlannedService[];
  readonly registries: readonly ReleaseRegistry[];
  /** Floating tags may move to an older version: a rollback. */
  readonly allowBackwards: boolean;
  /** Floating tags of unknown version may be overwritten. */
  readonly adopt: boolean;
}

export interface PlannedService {
  readonly service: string;
  /** Digest of the index. */
  readonly digest: string;
  readonly tags: TagPlan;
}

/** @param release.policies by service; a service without one moves all floating tags */
export function planRelease(release: {
  readonly version: Version;
  readonly gate: OpenGate;
  readonly registries: readonly ReleaseRegistry[];
  readonly policies?: Readonly<Record<string, TagPolicy>>;
  readonly allowBackwards?: boolean;
  readonly adopt?: boolean;
}): ReleasePlan {
  const { version, gate, registries, policies = {}, allowBackwards = false, adopt = false } = release;
  if (allowBackwards && !version.stable) {
    throw new TgoError("USAGE", `${version.text} is a prerelease and has no floating tags to move back`, {
      where: "--allow-backwards",
      remedy: "Leave the flag out, or name a stable version.",
    });
  }
  const services = [...gate.digests].map(([service, digest]) => ({
    service,
    digest,
    tags: planTags(version, policies[service] ?? parse(TagPolicy, {}), service),
  }));
  return { version, services, registries, allowBackwards, adopt };
}
