import { problemOf, TgoError } from "@tgo/errors";
import type { RegistryReport, ServiceReport } from "@tgo/report";
import type { TargetContext } from "../targets/publish-context.js";

/** What the report of a failed service says besides its problem. */
export interface FailedService {
  readonly revision?: string;
  readonly tag?: string;
  readonly registries: readonly RegistryReport[];
}

/**
 * Runs one service's part of a function. Its failure becomes its report.
 * @param failed what is known of the service when it fails
 */
export async function reportService(
  context: Pick<TargetContext, "signal">,
  service: string,
  run: () => Promise<Omit<ServiceReport, "durationMs">>,
  failed: () => FailedService = () => ({ registries: [] }),
): Promise<ServiceReport> {
  const started = performance.now();
  const durationMs = (): number => Math.round(performance.now() - started);
  try {
    const report = await run();
    return { ...report, durationMs: durationMs() };
  } catch (error) {
    return {
      service,
      state: "failed",
      variants: [],
      ...failed(),
      problems: error instanceof RegistriesFailed ? [] : [problemOf(interruptionOf(context) ?? error)],
      notes: [],
      durationMs: durationMs(),
    };
  }
}

/** Registries failed; their rows say how. */
export class RegistriesFailed extends Error {}

/** Why a run was stopped; whatever a step says then, this is the cause. */
export function interruptionOf({ signal }: Pick<TargetContext, "signal">): TgoError | undefined {
  if (signal?.aborted !== true) return undefined;
  return new TgoError("INTERRUPTED", "stopped before it was done; what is not tagged yet stays untagged", {
    remedy: "Run the same command again: what is done is not done twice.",
  });
}
