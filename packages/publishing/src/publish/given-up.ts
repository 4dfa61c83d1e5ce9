import { duration, type RegistryReport, type ServiceReport } from "@tgo/report";
import type { Target } from "../targets/target.js";
import { notStarted } from "./not-started.js";

/** The row of an optional registry that ran out of time. @param missing what it did not get for this service */
export function givenUp(
  { service, registries }: Pick<ServiceReport, "service" | "registries">,
  target: Target,
  { missing, limitMs }: { readonly missing: "the candidate" | "all tags"; readonly limitMs: number },
): RegistryReport {
  const row = registries.find(({ registry }) => registry === target.name) ?? {
    ...notStarted(target, service),
    durationMs: limitMs,
  };
  const what = `the registry did not get ${missing} within ${duration(limitMs)} and was given up`;
  return {
    ...row,
    state: "failed",
    problems: [{ code: "UNAVAILABLE", what, remedy: "Run the same command again." }],
  };
}
