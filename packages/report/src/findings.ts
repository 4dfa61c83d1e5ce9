import type { Problem } from "@tgo/errors";
import type { Report } from "./report.js";

/** A problem, and where in a run it occurred. */
export interface Finding {
  readonly problem: Problem;
  readonly service?: string;
  readonly registry?: string;
}

/** Every problem of a report: of the run, then of each service, its registries and its tags. */
export function findings({ problems = [], services }: Pick<Report, "services" | "problems">): Finding[] {
  return [
    ...problems.map((problem) => ({ problem })),
    ...services.flatMap(({ service, problems: own, registries, tags = [] }) => [
      ...own.map((problem) => ({ problem, service })),
      ...registries.flatMap(({ registry, problems: of }) =>
        of.map((problem) => ({ problem, service, registry })),
      ),
      ...tags.flatMap(({ registry, problem }) =>
        problem === undefined ? [] : [{ problem, service, registry }],
      ),
    ]),
  ];
}
