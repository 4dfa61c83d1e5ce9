import type { RegistrySnapshot } from "./registry-snapshot.js";
import type { ReleasePlan } from "./release-plan.js";
import { isSettled, newerVersions, PHASES, tagSteps, type Phase, type TagStep } from "./tag-steps.js";

/** How far a release has come, computed from the registries' contents alone: nothing else is remembered. */
export interface ReleaseState {
  /** Every tag of the plan, in the order of writing. */
  readonly steps: readonly TagStep[];
  readonly next: NextAction;
  /** Newer versions whose release began meanwhile, one line each: this one's `latest` may have overwritten theirs. */
  readonly newerReleases: readonly string[];
}

export type NextAction =
  /** Write these, in any order, then read all registries and decide again. */
  | { readonly act: "write"; readonly steps: readonly TagStep[] }
  /** All required registries are as planned. `later`: what the others still lack. */
  | { readonly act: "done"; readonly later: readonly TagStep[] }
  /** Nothing more can be written until someone fixes these. */
  | { readonly act: "stop"; readonly blockers: readonly TagStep[] };

/**
 * How far a release has come, and what it does next.
 *
 * - A phase begins when the previous one is complete for all services in all required registries, as just read; in a
 *   registry that is not required, in that registry as well. A registry that cannot be reached counts as incomplete.
 * - No phase begins if it, or a later one, is known to end in a refusal: where `latest` will be refused, no version
 *   tag is written. A phase that has begun is finished as far as possible, so that fewer registries differ.
 * - A version tag with another digest stops everything, in whatever registry, as long as no required registry has
 *   the version. Any other problem in a registry that is not required stops nothing.
 * - Registries that are not required may be read at other times than the required ones.
 *
 * @param now all registries as last read
 * @param start all registries as first read in this run; default `now`
 */
export function releaseState(
  now: readonly RegistrySnapshot[],
  plan: ReleasePlan,
  start: readonly RegistrySnapshot[] = now,
): ReleaseState {
  const steps = tagSteps(plan, now, start);
  return { steps, next: nextAction(steps), newerReleases: newerReleases(now, plan, start) };
}

function nextAction(steps: readonly TagStep[]): NextAction {
  const required = steps.filter((step) => step.required);
  const versions = steps.filter(({ phase }) => phase === "version");
  const releaseBegan = versions.some((step) => step.required && step.status.state === "already there");
  const taken = versions.filter(
    (step) => step.status.state === "refused" && (step.required || !releaseBegan),
  );
  if (taken.length > 0) return { act: "stop", blockers: taken };
  const writes = PHASES.flatMap((phase) => {
    if (!isOpen(phase, required)) return [];
    return steps.filter(
      (step) =>
        step.phase === phase &&
        step.status.state === "to write" &&
        (step.required || isOpen(phase, inRegistry(steps, step.registry))),
    );
  });
  if (writes.length > 0) return { act: "write", steps: writes };
  const left = required.filter((step) => !isSettled(step));
  if (left.length === 0) return { act: "done", later: steps.filter((step) => !isSettled(step)) };
  // A step that only waits for others is not a blocker.
  return { act: "stop", blockers: left.filter(({ status }) => status.state !== "to write") };
}

/** Whether a phase's tags may be written, given the steps it depends on. */
function isOpen(phase: Phase, steps: readonly TagStep[]): boolean {
  const at = PHASES.indexOf(phase);
  const before = steps.filter((step) => PHASES.indexOf(step.phase) < at);
  const fromHere = steps.filter((step) => PHASES.indexOf(step.phase) >= at);
  const phaseBegan = fromHere.some((step) => step.phase === phase && step.status.state === "already there");
  const refused = fromHere.some(({ status }) => status.state === "refused");
  return before.every(isSettled) && (phaseBegan || !refused);
}

function inRegistry(steps: readonly TagStep[], registry: string): readonly TagStep[] {
  return steps.filter((step) => step.registry === registry);
}

function newerReleases(
  now: readonly RegistrySnapshot[],
  plan: ReleasePlan,
  start: readonly RegistrySnapshot[],
): readonly string[] {
  return plan.services.flatMap(({ service }) => {
    const found = newerVersions(plan, now, start, service);
    const versions = [...new Set(found.map(({ version }) => version.text))];
    return versions.map((version) => {
      const registries = found
        .filter((entry) => entry.version.text === version)
        .map(({ registry }) => registry);
      return `${service}: ${version} appeared in ${registries.join(", ")} while ${plan.version.text} was being released`;
    });
  });
}
