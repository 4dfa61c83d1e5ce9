import { fold } from "./fold.js";
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

/** Reasons without the causes at their ends that are listed as problems, with their remedies; equal ones once. */
function withoutCauses(report: Report, reasons: readonly string[]): string[] {
  const causes = groupProblems(report).map(({ what }) => what.split("\n", 1)[0] ?? "");
  const told = reasons.map((reason) => {
    const at = [...reason.matchAll(/: /g)].map(({ index }) => index);
    const end = at.find((index) => causes.some((cause) => cause.startsWith(reason.slice(index + 2))));
    return end === undefined ? reason : reason.slice(0, end);
  });
  return merged(told);
}

/** "tgo-rag in ghcr: missing" and "tgo-rag in acr: missing" as "tgo-rag in ghcr, acr: missing", then services likewise. */
function merged(reasons: readonly string[]): string[] {
  const parts = reasons.map((reason) => {
    const [, service = "", registry = "", why = reason] = /^(\S+) in (\S+): (.*)$/s.exec(reason) ?? [];
    return { service, registry, why };
  });
  const byService = fold(
    parts.map((part) => [part.registry, part] as const),
    ({ service, why }) => JSON.stringify([service, why]),
  ).map(({ value, names }) => [value.service, { why: value.why, registries: names.join(", ") }] as const);
  return fold(byService, (value) => JSON.stringify(value)).map(({ value, names }) =>
    value.registries === "" ? value.why : `${names.join(", ")} in ${value.registries}: ${value.why}`,
  );
}
