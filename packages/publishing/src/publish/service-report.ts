import { problemOf, TgoError } from "@tgo/errors";
import type { RegistryReport, ServiceReport } from "@tgo/report";
import type { TargetContext } from "../targets/publish-context.js";

/** What the report of a failed service has besides its problem. */
export interface FailedService {
  readonly revision?: string;
  readonly tag?: string;
  readonly registries: readonly RegistryReport[];
  /** What it left behind, for whoever cleans up. */
  readonly notes?: readonly string[];
}

/**
 * Runs a function for one service. Its failure becomes the service's report.
 * @param failed what is known about the service when it fails
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
      notes: [],
      ...failed(),
      problems: error instanceof RegistriesFailed ? [] : [problemOf(interruptionOf(context) ?? error)],
      durationMs: durationMs(),
    };
  }
}

/** Registries failed; their rows have the problems. */
export class RegistriesFailed extends Error {}

/** The error of an interrupted run, whatever error the interrupted step itself throws. */
export function interruptionOf({ signal }: Pick<TargetContext, "signal">): TgoError | undefined {
  if (signal?.aborted !== true) return undefined;
  return new TgoError("INTERRUPTED", "interrupted; tags that were not written yet stay as they are", {
    remedy: "Run the same command again: finished steps are not repeated.",
  });
}
