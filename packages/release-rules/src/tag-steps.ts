import type { TgoError } from "@tgo/errors";
import { versionTags } from "./tag-plan.js";
import { tagOfVersion, hasDigest, tagsOfVersion, versionsOf, type TagTarget } from "./tag-target.js";
import { decideFloatingTag, decideVersionTag, type CompetingVersion, type VersionMove } from "./tag-moves.js";
import type { PlannedService, ReleasePlan } from "./release-plan.js";
import { snapshotOf, type RegistrySnapshot } from "./registry-snapshot.js";
import { inLine, isFloating, kindOfTag, LATEST, type FloatingKind } from "./tag-kind.js";
import { isNewer, newestVersion, type Version } from "./version.js";

/** In this order; a phase begins only when the previous one is complete everywhere. */
export const PHASES = ["version", "floating", "latest"] as const;
export type Phase = (typeof PHASES)[number];

/** One tag of one service in one registry. */
export interface TagStep {
  readonly phase: Phase;
  readonly service: string;
  readonly registry: string;
  readonly required: boolean;
  readonly tag: string;
  /** The digest the tag has to point to. */
  readonly digest: string;
  /** That digest's version: the plan's, unless the tag is given back to a newer one. */
  readonly version: Version;
  /** What the tag points to now. */
  readonly before: TagTarget | undefined;
  readonly status: TagStepStatus;
}

/** Messages leave out service, registry and tag: the step has them. */
export type TagStepStatus =
  | { readonly state: "already there" }
  | { readonly state: "to write"; readonly why: "new" | "forward" | "backwards" | "adopted" }
  /** It points to this release, but belongs to a newer version released meanwhile: our write came too late. */
  | { readonly state: "to write"; readonly why: "given back"; readonly to: NewerRelease }
  /** A newer version has the tag: nothing is left to do. */
  | { readonly state: "stays"; readonly newer: Version; readonly message: string }
  | { readonly state: "refused"; readonly error: TgoError }
  /** The image is not in this registry, so it cannot be tagged. */
  | { readonly state: "missing"; readonly message: string }
  | { readonly state: "unreachable"; readonly message: string };

/** Whether nothing is left to do for this tag. */
export function isSettled({ status }: Pick<TagStep, "status">): boolean {
  return status.state === "already there" || status.state === "stays";
}

/** A newer version's image under its own tag. */
export interface NewerRelease {
  readonly version: Version;
  readonly digest: string;
}

/** Every step of a plan with its status, in the order of writing. */
export function tagSteps(
  plan: ReleasePlan,
  now: readonly RegistrySnapshot[],
  start: readonly RegistrySnapshot[] = now,
): readonly TagStep[] {
  const newer = new Map(
    plan.services.map(({ service }) => [service, newerVersions(plan, now, start, service)]),
  );
  const steps = plan.registries.flatMap(({ registry, required }) =>
    plan.services.flatMap((planned) => {
      const { service, digest } = planned;
      const contents = snapshotOf(now, service, registry);
      return tagsOf(planned).map(({ tag, phase }): TagStep => {
        const context = {
          plan,
          planned,
          registry,
          tag,
          now,
          start,
          newerVersions: newer.get(service) ?? [],
        };
        const status = statusOf(context);
        const givenBack = status.state === "to write" && status.why === "given back";
        return {
          phase,
          service,
          registry,
          required,
          tag,
          ...(givenBack ? status.to : { digest, version: plan.version }),
          before: contents.state === "seen" ? contents.tags.get(tag) : undefined,
          status,
        };
      });
    }),
  );
  return PHASES.flatMap((phase) => steps.filter((step) => step.phase === phase));
}

/** A version newer than the plan's, and a registry that has it. */
interface NewerVersion {
  readonly version: Version;
  readonly registry: string;
}

/** Versions newer than the plan's that were absent when this run began: someone else is releasing them. */
export function newerVersions(
  plan: ReleasePlan,
  now: readonly RegistrySnapshot[],
  start: readonly RegistrySnapshot[],
  service: string,
): readonly NewerVersion[] {
  return plan.registries.flatMap(({ registry }) => {
    const before = snapshotOf(start, service, registry);
    const after = snapshotOf(now, service, registry);
    // Without a snapshot from the start, nothing can be called new.
    if (before.state !== "seen" || after.state !== "seen") return [];
    const known = new Set(stableVersions(before.tags, service).map(({ text }) => text));
    return stableVersions(after.tags, service)
      .filter((version) => !known.has(version.text) && isNewer(version, plan.version))
      .map((version) => ({ version, registry }));
  });
}

function tagsOf({ tags }: PlannedService): readonly { tag: string; phase: Phase }[] {
  return [
    ...versionTags(tags).map((tag) => ({ tag, phase: "version" as const })),
    ...tags.floating.map((tag) => ({
      tag,
      phase: tag === LATEST ? ("latest" as const) : ("floating" as const),
    })),
  ];
}

interface TagContext {
  readonly plan: ReleasePlan;
  readonly planned: PlannedService;
  readonly registry: string;
  readonly tag: string;
  readonly now: readonly RegistrySnapshot[];
  readonly start: readonly RegistrySnapshot[];
  readonly newerVersions: readonly NewerVersion[];
}

function statusOf(context: TagContext): TagStepStatus {
  const { plan, planned, registry, tag, now } = context;
  const contents = snapshotOf(now, planned.service, registry);
  if (contents.state !== "seen") return { state: "unreachable", message: contents.why };
  const { tags } = contents;
  const where = `${planned.service} in ${registry}, tag ${tag}`;
  const kind = kindOfTag(tag);
  const move = isFloating(kind)
    ? decideFloatingTag({
        tag,
        current: tags.get(tag),
        wanted: { digest: planned.digest, version: plan.version },
        competing: competingVersions(kind, context, tags),
        allowBackwards: plan.allowBackwards,
        adopt: plan.adopt,
        where,
      })
    : versionMove(context, tags, where);
  switch (move.act) {
    case "keep": {
      const to = isFloating(kind) ? newerOwner(kind, context, tags) : undefined;
      return to === undefined ? { state: "already there" } : { state: "to write", why: "given back", to };
    }
    case "stay":
      return { state: "stays", newer: move.newer, message: move.message };
    case "refuse":
      return { state: "refused", error: move.error };
    case "write":
      if (!hasDigest(tags, planned.digest))
        return { state: "missing", message: "the image is not there yet" };
      return { state: "to write", why: move.why };
  }
}

/** A tag of the version itself. Another image under any spelling of it would give the version two contents. */
function versionMove(
  { plan, planned, tag }: TagContext,
  tags: ReadonlyMap<string, TagTarget>,
  where: string,
): Exclude<VersionMove, { act: "write" }> | { readonly act: "write"; readonly why: "new" } {
  const wanted = planned.digest;
  const other = tagsOfVersion(tags, plan.version, planned.service).find(({ digest }) => digest !== wanted);
  const current = other?.digest ?? tags.get(tag)?.digest;
  const move = decideVersionTag({
    current,
    wanted,
    where: other === undefined || other.tag === tag ? where : `${where} (there as ${other.tag})`,
  });
  return move.act === "write" ? { act: "write", why: "new" } : move;
}

/**
 * Other versions that may keep a floating tag: its targets in the other required registries; newer versions whose
 * release began after this one; and, where the tag does not exist yet, the versions already in this registry. Where
 * it exists those do not count: after a rollback, the newest of them is the version the tag must not return to.
 */
function competingVersions(
  kind: FloatingKind,
  { plan, planned, registry, tag, now, newerVersions }: TagContext,
  tags: ReadonlyMap<string, TagTarget>,
): CompetingVersion[] {
  const { service } = planned;
  const elsewhere = plan.registries.flatMap(({ registry: other, required }) => {
    if (other === registry || !required) return [];
    const version = tagTargetIn(now, service, other, tag)?.version;
    return version === undefined ? [] : [{ version, reason: `is ${tag} in ${other}` }];
  });
  const beingReleased = newerVersions.map(({ version, registry: other }) => ({
    version,
    reason: `is being released (its tag appeared in ${other} meanwhile)`,
  }));
  const here = tags.has(tag) ? [] : stableVersions(tags, service).filter((version) => inLine(kind, version));
  const newest = newestVersion(here);
  return [
    ...elsewhere,
    ...beingReleased,
    ...(newest === undefined ? [] : [{ version: newest, reason: "already exists" }]),
  ];
}

/**
 * The newer release that a floating tag belongs to although it points to this one: that release last read the tag before
 * our write arrived, so it will not correct it. Only a version that passed its own gate counts: its version tags are in
 * every required registry, or this floating tag has moved to it elsewhere.
 */
function newerOwner(
  kind: FloatingKind,
  { plan, planned, tag, now, start, newerVersions }: TagContext,
  tags: ReadonlyMap<string, TagTarget>,
): NewerRelease | undefined {
  if (plan.allowBackwards) return undefined;
  const { service } = planned;
  const moved = plan.registries.flatMap(({ registry }) => {
    const [before, after] = [start, now].map((snapshots) => tagTargetIn(snapshots, service, registry, tag));
    if (after?.version === undefined || after.digest === before?.digest) return [];
    return [{ version: after.version, digest: after.digest }];
  });
  const complete = newerVersions.flatMap(({ version }) => {
    const found = tagOfVersion(tags, version, service);
    return found !== undefined && isEverywhere(version, plan, now) ? [{ version, digest: found.digest }] : [];
  });
  const newer = [...moved, ...complete].filter(
    ({ version }) =>
      version.stable &&
      inLine(kind, version) &&
      isNewer(version, plan.version) &&
      tagOfVersion(tags, version, service) !== undefined,
  );
  const newest = newestVersion(newer.map(({ version }) => version));
  return newer.find(({ version }) => version === newest);
}

/** Whether every required registry has the version's own tag of every planned service. */
function isEverywhere(version: Version, plan: ReleasePlan, now: readonly RegistrySnapshot[]): boolean {
  return plan.services.every(({ service }) =>
    plan.registries.every(({ registry, required }) => {
      const contents = snapshotOf(now, service, registry);
      return (
        !required ||
        (contents.state === "seen" && tagOfVersion(contents.tags, version, service) !== undefined)
      );
    }),
  );
}

function tagTargetIn(
  snapshots: readonly RegistrySnapshot[],
  service: string,
  registry: string,
  tag: string,
): TagTarget | undefined {
  const contents = snapshotOf(snapshots, service, registry);
  return contents.state === "seen" ? contents.tags.get(tag) : undefined;
}

function stableVersions(tags: ReadonlyMap<string, TagTarget>, service: string): Version[] {
  return versionsOf(tags, service).filter(({ stable }) => stable);
}
