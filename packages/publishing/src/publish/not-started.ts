import type { RegistryReport } from "@tgo/report";
import { referenceOf, repositoryOf, type Target } from "../targets/target.js";

/** The row of a registry in which nothing was done yet; without a tag while that is not known. */
export function notStarted(target: Target, service: string, tag?: string): RegistryReport {
  return {
    registry: target.name,
    reference:
      tag === undefined
        ? `${target.registry.host}/${repositoryOf(target, service)}`
        : referenceOf(target, service, tag),
    state: "not started",
    problems: [],
    durationMs: 0,
  };
}
