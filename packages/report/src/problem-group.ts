import type { Problem } from "@tgo/errors";
import type { Report } from "./report.js";

/** One problem with all the places it occurred in. */
export interface ProblemGroup {
  readonly code: Problem["code"];
  readonly what: string;
  readonly remedy: string | undefined;
  readonly places: readonly ProblemLocation[];
}

/** Where a problem occurred. */
export interface ProblemLocation {
  /** Absent when it is the run's as a whole. */
  readonly service?: string;
  /** Absent when the service as a whole has the problem. */
  readonly registry?: string;
  /** A reference, a file, a field of the catalog. */
  readonly where?: string;
}

/** The problems of a run, each once: those that differ only in their place share an entry. */
export function groupProblems(report: Report): ProblemGroup[] {
  const groups = new Map<string, ProblemGroup & { places: ProblemLocation[] }>();
  const add = (problem: Problem, place: ProblemLocation): void => {
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
  return [...groups.values()].map((group) => ({
    ...group,
    places: shared(group.places, report.services.length),
  }));
}

/** What all services have in one registry is that registry's: told once. */
function shared(places: readonly ProblemLocation[], services: number): ProblemLocation[] {
  const among = new Map<string | undefined, ProblemLocation[]>();
  for (const place of places) among.set(place.registry, [...(among.get(place.registry) ?? []), place]);
  return [...among].flatMap(([registry, found]) => {
    const named = new Set(found.flatMap(({ service }) => service ?? []));
    if (services < 2 || named.size < services) return found;
    const where = commonFolder(found.map((place) => place.where));
    return [{ service: `all ${services} services`, registry, where }];
  });
}

/** What paths have in common, up to a slash. */
function commonFolder(paths: readonly (string | undefined)[]): string | undefined {
  const [first, ...others] = [...new Set(paths)].map((path) => (path ?? "").split("/"));
  if (first === undefined || others.length === 0) return paths[0];
  const end = first.findIndex((part, index) => others.some((other) => other[index] !== part));
  const common = first.slice(0, end === -1 ? first.length : end).join("/");
  return common === "" ? undefined : common;
}

/** "tgo-api in ghcr" and the reference, for each place; nothing for one that says nothing. */
export function placeLines(places: readonly ProblemLocation[]): string[] {
  return places.flatMap(({ service, registry, where }) => {
    const name = service !== undefined && registry !== undefined ? `${service} in ${registry}` : service;
    const parts = [name, where].filter((part) => part !== undefined);
    return parts.length === 0 ? [] : [parts.join(": ")];
  });
}
