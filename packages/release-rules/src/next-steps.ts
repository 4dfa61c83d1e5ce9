import type { ReleasePlan } from "./release-plan.js";
import type { RegistrySnapshot } from "./registry-snapshot.js";
import { isSettled, newerVersions, PHASES, tagSteps, type Phase, type TagStep } from "./tag-steps.js";

/** How far a release is, from what the registries hold: nothing else is remembered (law 6). */
export interface ReleaseState {
  /** Every tag of the plan, in the order of writing. */
  readonly steps: readonly TagStep[];
  readonly next: NextAction;
  /** Newer versions whose release began meanwhile, in words: they may have been overtaken by this one's `latest`. */
  readonly newerReleases: readonly string[];
}

export type NextAction =
  /** Write these, in any order, then look at all registries again and ask anew. */
  | { readonly act: "write"; readonly steps: readonly TagStep[] }
  /** All required registries are as planned. `later`: what is left in the others. */
  | { readonly act: "done"; readonly later: readonly TagStep[] }
  /** Nothing more can be written before somebody sees to these. */
  | { readonly act: "stop"; readonly blockers: readonly TagStep[] };

/**
 * What a release does next.
 *
 * - A phase begins when the one before it is complete for all services in all required registries, as they were
 *   seen just now; in a registry that is not required, also there. A registry that cannot be asked now counts as
 *   incomplete.
 * - No phase begins that is known to end in a refusal, of itself or of a later one: where `latest` will be refused,
 *   no version tag is written. A phase that has begun is finished as far as it goes, so that fewer places differ.
 * - A version tag with another digest stops everything, in whatever registry, as long as no required registry has
 *   the version; any other fault of a registry that is not required stops nothing.
 * - A registry that is not required goes at its own pace: what is known of the required ones may be older than what
 *   is known of it, and the other way round.
 *
 * @param now all registries as they are now
 * @param start all registries as they were when this run of the release began; default `now`
 */
export function nextSteps(
  now: readonly RegistrySnapshot[],
  plan: ReleasePlan,
  start: readonly RegistrySnapshot[] = now,
): ReleaseState {
  const steps = tagSteps(plan, now, start);
  return { steps, next: nextOf(steps), newerReleases: overtaking(now, plan, start) };
}

function nextOf(steps: readonly TagStep[]): NextAction {
  const binding = steps.filter(({ required }) => required);
  const versions = steps.filter(({ phase }) => phase === "version");
  const begun = versions.some(({ required, status }) => required && status.state === "already there");
  const taken = versions.filter(({ required, status }) => status.state === "refused" && (required || !begun));
  if (taken.length > 0) return { act: "stop", blockers: taken };
  const writes = PHASES.flatMap((phase) => {
    if (!isOpen(phase, binding)) return [];
    return steps.filter(
      (step) =>
        step.phase === phase &&
        step.status.state === "to write" &&
        (step.required || isOpen(phase, inRegistry(steps, step.registry))),
    );
  });
  if (writes.length > 0) return { act: "write", steps: writes };
  const left = binding.filter((step) => !isSettled(step));
  if (left.length === 0) return { act: "done", later: steps.filter((step) => !isSettled(step)) };
  // Steps that only wait for others are not what to see to.
  return { act: "stop", blockers: left.filter(({ status }) => status.state !== "to write") };
}

/** Whether writes of a phase may be made, by the steps that it depends on. */
function isOpen(phase: Phase, steps: readonly TagStep[]): boolean {
  const at = PHASES.indexOf(phase);
  const before = steps.filter((step) => PHASES.indexOf(step.phase) < at);
  const fromHere = steps.filter((step) => PHASES.indexOf(step.phase) >= at);
  const begun = fromHere.some((step) => step.phase === phase && step.status.state === "already there");
  const refused = fromHere.some(({ status }) => status.state === "refused");
  return before.every(isSettled) && (begun || !refused);
}

function inRegistry(steps: readonly TagStep[], registry: string): readonly TagStep[] {
  return steps.filter((step) => step.registry === registry);
}

function overtaking(
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
      return `${service}: ${version} came to ${registries.join(", ")} while ${plan.version.text} was released`;
    });
  });
}
