import type { GateReport, Report } from "./report.js";

export function gateVerdict({ open }: GateReport): string {
  return `gate ${open ? "open: every candidate is verified in every required registry" : "closed"}`;
}

/** The gate's verdict, what keeps it closed, and what is left for later; one line each. */
export function gateLines({ gate }: Report): string[] {
  if (gate === undefined) return [];
  return [gateVerdict(gate), ...gate.reasons, ...gate.later.map((reason) => `later: ${reason}`)];
}
