import { groupProblems } from "./problem-group.js";
import type { GateReport, Report } from "./report.js";

export function gateVerdict({ open }: GateReport): string {
  return `gate ${open ? "open: every candidate is verified in every required registry" : "closed"}`;
}

/** What keeps a gate closed. */
export function gateReasons(report: Report): string[] {
  return withoutCauses(report, report.gate?.reasons ?? []);
}

/** What an open gate leaves for later. */
export function gateLater(report: Report): string[] {
  return withoutCauses(report, report.gate?.later ?? []);
}

/** The gate's verdict, what keeps it closed, and what is left for later; one line each. */
export function gateLines(report: Report): string[] {
  const { gate } = report;
  if (gate === undefined) return [];
  return [
    gateVerdict(gate),
    ...gateReasons(report),
    ...gateLater(report).map((reason) => `later: ${reason}`),
  ];
}

/** Reasons without the causes at their ends that are listed as problems, with their remedies. */
function withoutCauses(report: Report, reasons: readonly string[]): string[] {
  const causes = groupProblems(report).map(({ what }) => `: ${what.split("\n", 1)[0] ?? ""}`);
  return reasons.map((reason) => {
    const cause = causes.find((each) => reason.endsWith(each));
    return cause === undefined ? reason : reason.slice(0, -cause.length);
  });
}
