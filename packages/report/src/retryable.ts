import type { Problem } from "@tgo/errors";
import { findings } from "./findings.js";
import type { Report } from "./report.js";

/** These need a change of the command, the source or the catalog first. */
const NEEDS_CHANGE = new Set<Problem["code"]>([
  ...(["USAGE", "CATALOG", "SOURCE", "BUILD", "CHECK", "SMOKE", "CONFLICT"] as const),
]);

/** These end without a change to an image. */
const TRANSIENT = new Set<Problem["code"]>([
  ...(["UNAVAILABLE", "UNAUTHORIZED", "DENIED", "ENVIRONMENT", "INTERRUPTED"] as const),
]);

/**
 * Whether the same command may succeed later: a registry or the network failed, not the request. Something missing
 * from one registry may still arrive there; something missing everywhere stays missing.
 */
export function isRetryable(
  report: Pick<Report, "services" | "problems"> & Partial<Pick<Report, "command">>,
): boolean {
  const found = findings(report);
  const codes = found.map(({ problem: { code } }) => code);
  // What verify finds stays as it is until something else mends it.
  if (report.command === "verify") return codes.every((code) => TRANSIENT.has(code));
  // The rest of the run would still fail.
  if (codes.some((code) => NEEDS_CHANGE.has(code))) return false;
  return found.some(({ problem, registry }) => registry !== undefined || problem.code !== "NOT_FOUND");
}
