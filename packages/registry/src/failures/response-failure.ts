import { TgoError } from "@tgo/errors";
import { FAILURE_RULES, type FailureRule } from "./failure-rules.js";
import type { RegistryFailure } from "./registry-failure.js";
import type { RetryPolicy } from "./retry-policy.js";

/** What a failure means, for the reader who has to act. */
export function failureError(failure: RegistryFailure): TgoError {
  const { code, what, remedy } = ruleFor(failure);
  const prefix = failure.stage === "token" ? "during login: " : "";
  return new TgoError(code, prefix + what(failure), {
    where: failure.where,
    ...(remedy === undefined ? {} : { remedy: remedy(failure) }),
  });
}

/** How far to retry; undefined when retrying does not help. */
export function retryPolicy(failure: RegistryFailure): RetryPolicy | undefined {
  return ruleFor(failure).retry?.(failure) ?? refusedOnce(failure);
}

/** A login server that gave these credentials a token before may refuse one by mistake. */
function refusedOnce({ granted, status }: RegistryFailure): RetryPolicy | undefined {
  if (granted !== true || (status !== 401 && status !== 403)) return undefined;
  return { attempts: 2, delaysMs: [1000], reason: "the login was refused, but accepted before" };
}

/** The name of the rule that a failure matches; for programs and tests. */
export function classify(failure: RegistryFailure): string {
  return ruleFor(failure).name;
}

function ruleFor(failure: RegistryFailure): FailureRule {
  // The last rule matches everything.
  return FAILURE_RULES.find((rule) => rule.matches(failure)) ?? unreachable();
}

function unreachable(): never {
  throw new TgoError("INTERNAL", "no failure rule matches");
}
