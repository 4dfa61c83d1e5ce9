import type { TgoError } from "@tgo/errors";
import { tagOfVersion, hasDigest, versionsOf, type TagTarget } from "./tag-target.js";
import { decideFloatingTag, decideVersionTag, type CompetingVersion, type VersionMove } from "./tag-moves.js";
import type { PlannedService, ReleasePlan } from "./release-plan.js";
import { snapshotOf, type RegistrySnapshot } from "./registry-snapshot.js";
import { inLine, isFloating, kindOfTag, type FloatingKind } from "./tag-kind.js";
import { LATEST } from "./tag-plan.js";
import { isNewer, newestVersion, type Version } from "./version.js";

/** In this order; none begins before the one before it has ended everywhere. */
export const PHASES = ["version", "floating", "latest"] as const;
export type Phase = (typeof PHASES)[number];

/** One tag of one service in one registry. */
export interface TagStep {
  readonly phase: Phase;
  readonly service: string;
  readonly registry: string;
  readonly required: boolean;
  readonly tag: string;
  /** What the tag is to stand for. */
  readonly digest: string;
  /** The version that is. The plan's, unless the tag is given back to a newer one. */
  readonly version: Version;
  /** What it stands for now. */
  readonly before: TagTarget | undefined;
  readonly status: TagStepStatus;
}

/** Where it is told why, the place is not: the step has it. */
export type TagStepStatus =
  | { readonly state: "already there" }
  | { readonly state: "to write"; readonly why: "new" | "forward" | "backwards" | "adopted" }
  /** It is ours, and a newer version that was released meanwhile has a right to it: a write of ours came too late. */
  | { readonly state: "to write"; readonly why: "given back"; readonly to: NewerRelease }
  /** A newer version has the tag; nothing is left to do. */
  | { readonly state: "stays"; readonly newer: Version; readonly message: string }
  | { readonly state: "refused"; readonly error: TgoError }
  /** The image is not in this registry: a tag for it cannot be. */
  | { readonly state: "missing"; readonly message: string }
  | { readonly state: "unreachable"; readonly message: string };

/** Whether nothing is left to do about it. */
export function isSettled({ status }: Pick<TagStep, "status">): boolean {
  return status.state === "already there" || status.state === "stays";
}

/** A newer version's image under its own tag. */
export interface NewerRelease {
  readonly version: Version;
  readonly digest: string;
}

/** Every step of a plan with how it stands, in the order of writing. */
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
      const sight = snapshotOf(now, service, registry);
      return tagsOf(planned).map(({ tag, phase }): TagStep => {
        const question = {
          plan,
          planned,
          registry,
          tag,
          now,
          start,
          newerVersions: newer.get(service) ?? [],
        };
        const status = stateOf(question);
        const gives = status.state === "to write" && status.why === "given back";
        return {
          phase,
          service,
          registry,
          required,
          tag,
          ...(gives ? status.to : { digest, version: plan.version }),
          before: sight.state === "seen" ? sight.tags.get(tag) : undefined,
          status,
        };
      });
    }),
  );
  return PHASES.flatMap((phase) => steps.filter((step) => step.phase === phase));
}

/** A version, and a registry that has it. */
interface NewerVersion {
  readonly version: Version;
  readonly registry: string;
}

/** Versions newer than the plan's that were not there when the release began: somebody else releases them. */
export function newerVersions(
  plan: ReleasePlan,
  now: readonly RegistrySnapshot[],
  start: readonly RegistrySnapshot[],
  service: string,
): readonly NewerVersion[] {
  return plan.registries.flatMap(({ registry }) => {
    const before = snapshotOf(start, service, registry);
    const after = snapshotOf(now, service, registry);
    // Who was not seen then cannot be said to be new.
    if (before.state !== "seen" || after.state !== "seen") return [];
    const known = new Set(stableVersions(before.tags, service).map(({ text }) => text));
    return stableVersions(after.tags, service)
      .filter((version) => !known.has(version.text) && isNewer(version, plan.version))
      .map((version) => ({ version, registry }));
  });
}

function tagsOf({ tags }: PlannedService): readonly { tag: string; phase: Phase }[] {
  return [
    { tag: tags.version, phase: "version" },
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

function stateOf(question: TagContext): TagStepStatus {
  const { plan, planned, registry, tag, now } = question;
  const sight = snapshotOf(now, planned.service, registry);
  if (sight.state !== "seen") {
    return { state: "unreachable", message: sight.why };
  }
  const where = `${planned.service} in ${registry}, tag ${tag}`;
  const kind = kindOfTag(tag);
  const move = isFloating(kind)
    ? decideFloatingTag({
        tag,
        current: sight.tags.get(tag),
        wanted: { digest: planned.digest, version: plan.version },
        competing: competingVersions(kind, question, sight.tags),
        allowBackwards: plan.allowBackwards,
        adopt: plan.adopt,
        where,
      })
    : versionMove(question, sight.tags, where);
  switch (move.act) {
    case "keep": {
      const to = isFloating(kind) ? newerOwner(kind, question, sight.tags) : undefined;
      return to === undefined ? { state: "already there" } : { state: "to write", why: "given back", to };
    }
    case "stay":
      return { state: "stays", newer: move.newer, message: move.message };
    case "refuse":
      return { state: "refused", error: move.error };
    case "write":
      if (!hasDigest(sight.tags, planned.digest))
        return { state: "missing", message: "the image is not there yet" };
      return { state: "to write", why: move.why };
  }
}

/** The version's own tag; another image under an older spelling of it is the same version with two contents. */
function versionMove(
  { plan, planned, tag }: TagContext,
  tags: ReadonlyMap<string, TagTarget>,
  where: string,
): Exclude<VersionMove, { act: "write" }> | { readonly act: "write"; readonly why: "new" } {
  const found = tagOfVersion(tags, plan.version, planned.service);
  const move = decideVersionTag({
    current: found?.digest,
    wanted: planned.digest,
    where: found === undefined || found.tag === tag ? where : `${where} (there as ${found.tag})`,
  });
  const respelled = move.act === "keep" && found?.tag !== tag;
  return move.act === "write" || respelled ? { act: "write", why: "new" } : move;
}

/**
 * What else has a say in where a floating tag goes: what it stands for in the other required registries; newer
 * versions whose release began after this one; and, where there is no such tag yet, the versions already there.
 * Otherwise old versions do not count: after a rollback the newest of them is where the tag must not return to.
 */
function competingVersions(
  kind: FloatingKind,
  { plan, planned, registry, tag, now, newerVersions }: TagContext,
  tags: ReadonlyMap<string, TagTarget>,
): CompetingVersion[] {
  const { service } = planned;
  const elsewhere = plan.registries.flatMap(({ registry: other, required }) => {
    if (other === registry || !required) return [];
    const sight = snapshotOf(now, service, other);
    const version = sight.state === "seen" ? sight.tags.get(tag)?.version : undefined;
    return version === undefined ? [] : [{ version, reason: `is ${tag} in ${other}` }];
  });
  const meanwhile = newerVersions.map(({ version, registry: other }) => ({
    version,
    reason: `is being released (its tag came to ${other} meanwhile)`,
  }));
  const here = tags.has(tag) ? [] : stableVersions(tags, service).filter((version) => inLine(kind, version));
  const newest = newestVersion(here);
  return [
    ...elsewhere,
    ...meanwhile,
    ...(newest === undefined ? [] : [{ version: newest, reason: "is there already" }]),
  ];
}

/**
 * Whose a floating tag is that stands for this release's image, when a newer version was released meanwhile: its last
 * look was before our write arrived, so nobody else will see to it. Only a version that passed its own gate counts: its
 * tags are in every required registry, or this floating tag came to stand for it elsewhere.
 */
function newerOwner(
  kind: FloatingKind,
  { plan, planned, tag, now, start, newerVersions }: TagContext,
  tags: ReadonlyMap<string, TagTarget>,
): NewerRelease | undefined {
  if (plan.allowBackwards) return undefined;
  const { service } = planned;
  const moved = plan.registries.flatMap(({ registry }) => {
    const [before, after] = [start, now].map((sights) => tagTargetIn(sights, service, registry, tag));
    if (after?.version === undefined || after.digest === before?.digest) return [];
    return [{ version: after.version, digest: after.digest }];
  });
  const complete = newerVersions.flatMap(({ version }) => {
    const held = tagOfVersion(tags, version, service);
    return held !== undefined && isEverywhere(version, plan, now) ? [{ version, digest: held.digest }] : [];
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

/** Whether the version's own tags of all services of this plan are in every required registry. */
function isEverywhere(version: Version, plan: ReleasePlan, now: readonly RegistrySnapshot[]): boolean {
  return plan.services.every(({ service }) =>
    plan.registries.every(({ registry, required }) => {
      const sight = snapshotOf(now, service, registry);
      return (
        !required || (sight.state === "seen" && tagOfVersion(sight.tags, version, service) !== undefined)
      );
    }),
  );
}

function tagTargetIn(
  sights: readonly RegistrySnapshot[],
  service: string,
  registry: string,
  tag: string,
): TagTarget | undefined {
  const sight = snapshotOf(sights, service, registry);
  return sight.state === "seen" ? sight.tags.get(tag) : undefined;
}

function stableVersions(tags: ReadonlyMap<string, TagTarget>, service: string): Version[] {
  return versionsOf(tags, service).filter(({ stable }) => stable);
}
