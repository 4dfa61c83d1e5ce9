import type { RegistryReport } from "@tgo/report";
import { referenceOf, repositoryOf, type Target } from "../targets/target.js";

/** The row of a registry where nothing has been done yet. @param tag left out of the reference while it is unknown */
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
