import type { Problem } from "@tgo/errors";
import type { CheckReport } from "@tgo/report";
import type { ClockSkew } from "./clock.js";
import type { RegistryCheck } from "./check-registry.js";

/** A check with what it found: its problems, or else what was seen. */
export function checkOf(name: string, problems: readonly Problem[], seen: readonly string[]): CheckReport {
  if (problems.length === 0) return { name, state: "ok", evidence: seen };
  return { name, state: "failed", evidence: problems.map(firstLine) };
}

export function skipped(name: string, why: string): CheckReport {
  return { name, state: "skipped", evidence: [why] };
}

/** What each registry said: whether it accepts pushes, and what it has. */
export function registryChecks(checks: readonly RegistryCheck[], version: string | undefined): CheckReport[] {
  const lines = (of: (check: RegistryCheck) => string): string[] =>
    checks.map((check) => `${check.report.registry}: ${of(check)}`);
  const isRefused = checks.some(({ accepts, report }) => !accepts && report.state === "failed");
  const having = checks.filter(({ hasCandidate }) => hasCandidate).map(({ report }) => report.registry);
  const isOther = checks.some(({ existing }) => existing === "other");
  // What did not answer may have it.
  const areSilent = checks.every(({ accepts, report }) => !accepts && report.state !== "already there");
  return [
    {
      name: "push access",
      state: isRefused ? "failed" : "ok",
      evidence: lines(({ accepts, report }) => (accepts ? "accepts pushes" : whyNot(report.problems))),
    },
    areSilent
      ? skipped("image", "unknown: no registry could be asked")
      : {
          name: "image",
          state: "ok",
          evidence: [having.length === 0 ? "in no registry: it has to be built" : `in ${having.join(", ")}`],
        },
    ...(version === undefined
      ? []
      : [
          {
            name: `version ${version}`,
            state: isOther ? ("failed" as const) : areSilent ? ("skipped" as const) : ("ok" as const),
            evidence: lines(({ existing, accepts }) =>
              existing === "other"
                ? "exists with other content"
                : existing === "same"
                  ? "exists, with this content"
                  : accepts
                    ? "free"
                    : "unknown",
            ),
          },
        ]),
  ];
}

/** The problem itself is told once, with its remedy, above the checks. */
function whyNot([problem]: readonly Problem[]): string {
  if (problem === undefined) return "not waited for";
  return problem.code === "UNAVAILABLE" ? "cannot be reached" : "refuses pushes";
}

/** The clocks of all registries against this machine's. */
export function clockCheck(skews: readonly ClockSkew[], problems: readonly Problem[]): CheckReport[] {
  if (skews.length === 0) return [];
  const registries = [...new Set(skews.map(({ registry }) => registry))].join(", ");
  return [checkOf("clock", problems, [`agrees with ${registries}`])];
}

function firstLine({ what }: Pick<Problem, "what">): string {
  return what.split("\n", 1)[0] ?? "";
}
