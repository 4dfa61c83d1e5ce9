import type { TargetContext } from "./publish-context.js";
import type { Target } from "./target.js";

/** The registries that a release waits for, and the others. Where none is required, all of them are. */
export interface SplitTargets {
  readonly required: readonly Target[];
  readonly optional: readonly Target[];
}

export function splitByRequired({ targets }: Pick<TargetContext, "targets">): SplitTargets {
  const required = targets.filter(({ registry }) => registry.required);
  if (required.length === 0) return { required: targets, optional: [] };
  return { required, optional: targets.filter(({ registry }) => !registry.required) };
}
