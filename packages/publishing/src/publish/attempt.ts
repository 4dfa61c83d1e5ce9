import { TgoError, problemOf } from "@tgo/errors";
import { type RegistryReport } from "@tgo/report";
import type { PublishOutcome } from "./publish-outcome.js";
import type { TargetContext } from "../targets/publish-context.js";

/**
 * Runs a stage of one service; what it fails of becomes its report.
 * @param registries their rows when it fails
 */
export async function attempt(
  context: TargetContext,
  name: string,
  run: () => Promise<Omit<PublishOutcome, "durationMs">>,
  registries: readonly RegistryReport[] = [],
): Promise<PublishOutcome> {
  const started = performance.now();
  const durationMs = (): number => Math.round(performance.now() - started);
  try {
    const result = await run();
    return { ...result, durationMs: durationMs() };
  } catch (error) {
    return {
      service: name,
      state: "failed",
      variants: [],
      registries,
      problems: [problemOf(interrupted(context) ?? error)],
      notes: [],
      durationMs: durationMs(),
    };
  }
}

/** Whatever a step says when everything is stopped, this is why. */
export function interrupted(context: TargetContext): TgoError | undefined {
  if (context.signal?.aborted !== true) return undefined;
  return new TgoError("INTERRUPTED", "stopped before it was done; what is not tagged yet stays untagged", {
    remedy: "Run the same command again: what is done is not done twice.",
  });
}
