import type { Invocation } from "./command-line.js";

/** Functions that only read the catalog, or only talk to registries: they run as any user, on any machine. */
const WITHOUT_ENGINE: ReadonlySet<string> = new Set([
  ...["services", "plan", "status", "watch", "prune"],
  ...["inspect", "tags", "diff", "combine", "sbom"],
]);

/** Arguments that tell `verify` what to verify. Otherwise it is the source's candidate, and an engine reads the source. */
const VERIFIED = ["tag", "reference"];

/**
 * Whether a function needs a build engine. `verify` of something named needs none; with `--engine` it also shows the test
 * results in that engine's store.
 */
export function needsEngine({ function: { command }, settings, values }: Invocation): boolean {
  if (WITHOUT_ENGINE.has(command)) return false;
  if (command !== "verify" || settings.engine !== "auto") return true;
  return !VERIFIED.some((name) => values.has(name));
}
