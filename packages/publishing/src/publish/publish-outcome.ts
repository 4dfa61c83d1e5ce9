import type { RegistryReport, ServiceReport } from "@tgo/report";
import type { Target } from "../targets/target.js";
import type { TargetContext } from "../targets/publish-context.js";

/**
 * A service as it is in the registries that a release waits for. In the others work may still go on: no slow one of
 * them holds up what is done in the rest.
 */
export interface PublishOutcome extends ServiceReport {
  /** Their rows, by registry, when nothing more happens to them. They never reject. */
  readonly late?: ReadonlyMap<string, Promise<RegistryReport>> | undefined;
}

/** The registries that are waited for, and those that are not. Where none is required, all are waited for. */
export function splitByRequired({ targets }: Pick<TargetContext, "targets">): {
  readonly needed: readonly Target[];
  readonly others: readonly Target[];
} {
  const needed = targets.filter(({ registry }) => registry.required);
  if (needed.length === 0) return { needed: targets, others: [] };
  return { needed, others: targets.filter(({ registry }) => !registry.required) };
}

/** The whole of it, when the last registry is done. */
export async function settled({ late, ...report }: PublishOutcome): Promise<ServiceReport> {
  const registries = await Promise.all(
    report.registries.map((row) => late?.get(row.registry) ?? Promise.resolve(row)),
  );
  const failed = registries.some(({ state }) => state === "failed" || state === "not started");
  return { ...report, registries, state: failed ? "failed" : report.state };
}
