import type { TargetContext } from "./publish-context.js";
import type { Target } from "./target.js";

/** The registries a release waits for, and the others. If none is required, a release waits for all. */
export interface SplitTargets {
  readonly required: readonly Target[];
  readonly optional: readonly Target[];
}

export function splitByRequired({ targets }: Pick<TargetContext, "targets">): SplitTargets {
  const required = targets.filter(({ registry }) => registry.required);
  if (required.length === 0) return { required: targets, optional: [] };
  return { required, optional: targets.filter(({ registry }) => !registry.required) };
}
