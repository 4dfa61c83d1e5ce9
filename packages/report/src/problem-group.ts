import type { Problem } from "@tgo/errors";
import type { Report } from "./report.js";

/** One problem with every location it occurred in. */
export interface ProblemGroup {
  readonly code: Problem["code"];
  readonly what: string;
  readonly remedy: string | undefined;
  readonly locations: readonly ProblemLocation[];
}

/** Where a problem occurred. */
export interface ProblemLocation {
  /** Absent for a problem of the whole run. */
  readonly service?: string;
  /** Absent for a problem of the whole service. */
  readonly registry?: string;
  /** A reference, a file, a field of the catalog. */
  readonly where?: string;
}

/** The problems of a run, each once: problems that differ only in their location, or in a waiting time, share a group. */
export function groupProblems(report: Report): ProblemGroup[] {
  const groups = new Map<string, ProblemGroup & { locations: ProblemLocation[] }>();
  const add = (problem: Problem, at: Pick<ProblemLocation, "service" | "registry">): void => {
    const { code, what, where } = problem;
    const remedy = problem.remedy === undefined ? undefined : withoutService(problem.remedy, at.service);
    const key = JSON.stringify([code, what.replaceAll(/\bfor [\d.]+ s\b/g, "for a time"), remedy]);
    const group = groups.get(key) ?? { code, what, remedy, locations: [] };
    group.locations.push({ ...at, ...(where === undefined ? {} : { where }) });
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
    remedy: group.remedy === undefined ? undefined : forServices(group.remedy, group.locations),
    locations: mergeServices(group.locations, report.services.length),
  }));
}

/** Stands for the services of a group in a command. */
const SERVICES = "--service \u0000";

/** A remedy that is the same for other services: its command names the problem's own one. */
function withoutService(remedy: string, service: string | undefined): string {
  if (service === undefined) return remedy;
  const own = new RegExp(`--service ${service.replaceAll(/[^\w-]/g, "\\$&")}(?=\\s|$)`, "g");
  return remedy.replaceAll(own, SERVICES);
}

/** One command for all services that have the problem. */
function forServices(remedy: string, locations: readonly ProblemLocation[]): string {
  const services = [...new Set(locations.flatMap(({ service }) => service ?? []))];
  return remedy.replaceAll(SERVICES, `--service ${services.join(",")}`);
}

/** A problem that all services have in one registry is the registry's: one location instead of one per service. */
function mergeServices(locations: readonly ProblemLocation[], services: number): ProblemLocation[] {
  const byRegistry = new Map<string | undefined, ProblemLocation[]>();
  for (const location of locations) {
    byRegistry.set(location.registry, [...(byRegistry.get(location.registry) ?? []), location]);
  }
  return [...byRegistry].flatMap(([registry, found]) => {
    const named = new Set(found.flatMap(({ service }) => service ?? []));
    if (services < 2 || named.size < services) return found;
    const where = commonFolder(found.map((location) => location.where));
    return [
      {
        service: `all ${services} services`,
        ...(registry === undefined ? {} : { registry }),
        ...(where === undefined ? {} : { where }),
      },
    ];
  });
}

/** The longest common prefix of paths that ends before a slash. */
function commonFolder(paths: readonly (string | undefined)[]): string | undefined {
  const [first, ...others] = [...new Set(paths)].map((path) => (path ?? "").split("/"));
  if (first === undefined || others.length === 0) return paths[0];
  const end = first.findIndex((part, index) => others.some((other) => other[index] !== part));
  const common = first.slice(0, end === -1 ? first.length : end).join("/");
  return common === "" ? undefined : common;
}

/** One line for each location: "tgo-api in ghcr: ghcr.io/x/tgo-api:1.2.3"; none for an empty one. */
export function locationLines(locations: readonly ProblemLocation[]): string[] {
  return locations.flatMap(({ service, registry, where }) => {
    const name = service !== undefined && registry !== undefined ? `${service} in ${registry}` : service;
    // "tgo-api linux/arm64" names the service itself.
    const isNamed = registry === undefined && where?.startsWith(`${service} `) === true;
    const parts = [isNamed ? undefined : name, where].filter((part) => part !== undefined);
    return parts.length === 0 ? [] : [parts.join(": ")];
  });
}
