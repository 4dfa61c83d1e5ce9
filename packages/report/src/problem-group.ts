import type { Problem, Report } from "./report.js";

/** One problem with all the places it occurred in. */
export interface ProblemGroup {
  readonly code: Problem["code"];
  readonly what: string;
  readonly remedy: string | undefined;
  readonly places: readonly Place[];
}

/** Where a problem occurred. */
export interface Place {
  /** Absent when it is the run's as a whole. */
  readonly service?: string | undefined;
  /** Absent when the service as a whole has the problem. */
  readonly registry?: string | undefined;
  /** A reference, a file, a field of the catalog. */
  readonly where?: string | undefined;
}

/** The problems of a run, each once: those that differ only in their place share an entry. */
export function groupProblems(report: Report): ProblemGroup[] {
  const groups = new Map<string, ProblemGroup & { places: Place[] }>();
  const add = (problem: Problem, place: Place): void => {
    const { code, what, remedy, where } = problem;
    const key = JSON.stringify([code, what, remedy]);
    const group = groups.get(key) ?? { code, what, remedy, places: [] };
    group.places.push({ ...place, where });
    groups.set(key, group);
  };
  for (const problem of report.problems ?? []) add(problem, {});
  for (const { service, problems, registries, tags = [] } of report.services) {
    for (const problem of problems) add(problem, { service });
    for (const { registry, problems } of registries) {
      for (const problem of problems) add(problem, { service, registry });
    }
    for (const { registry, problem } of tags) {
      if (problem !== undefined) add(problem, { service, registry });
    }
  }
  return [...groups.values()];
}

/** "tgo-api in ghcr" and the reference, for each place; nothing for one that says nothing. */
export function placeLines(places: readonly Place[]): string[] {
  return places.flatMap(({ service, registry, where }) => {
    const name = service !== undefined && registry !== undefined ? `${service} in ${registry}` : service;
    const parts = [name, where].filter((part) => part !== undefined);
    return parts.length === 0 ? [] : [parts.join(": ")];
  });
}
