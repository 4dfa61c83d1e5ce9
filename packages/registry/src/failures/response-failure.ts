import { TgoError } from "@tgo/errors";
import { FAILURE_RULES, type FailureRule } from "./failure-rules.js";
import type { RegistryFailure, RetryLimits } from "./registry-failure.js";

/** What a fault means, for the reader who has to act. */
export function failureError(fault: RegistryFailure): TgoError {
  const row = rowFor(fault);
  const prefix = fault.stage === "token" ? "at the login: " : "";
  return new TgoError(row.code, prefix + row.what(fault), {
    where: fault.where,
    remedy: row.remedy?.(fault),
  });
}

/** How patient to be with a fault; undefined when asking again does not help. */
export function retryLimits(fault: RegistryFailure): RetryLimits | undefined {
  return rowFor(fault).patience?.(fault);
}

/** The table's name for a fault; for programs and tests. */
export function classify(fault: RegistryFailure): string {
  return rowFor(fault).name;
}

function rowFor(fault: RegistryFailure): FailureRule {
  // The last row matches everything.
  return FAILURE_RULES.find((row) => row.matches(fault)) ?? unreachable();
}

function unreachable(): never {
  throw new TgoError("INTERNAL", "the table of registry answers has no last row");
}
