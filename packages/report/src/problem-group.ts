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
  readonly service: string;
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

/** "tgo-api in ghcr and acr" for each service, with the references when they say more than the names. */
export function placeLines(places: readonly Place[]): string[] {
  return places.map(({ service, registry, where }) =>
    [registry === undefined ? service : `${service} in ${registry}`, where]
      .filter((part) => part !== undefined)
      .join(": "),
  );
}
