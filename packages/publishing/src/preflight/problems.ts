import { problemOf, type Problem } from "@tgo/errors";

/** The result of a check, or the problem it failed with. */
export interface CheckResult<T> {
  readonly value: T | undefined;
  readonly problems: readonly Problem[];
}

export async function runCheck<T>(check: () => T | Promise<T>): Promise<CheckResult<T>> {
  try {
    return { value: await check(), problems: [] };
  } catch (error) {
    return { value: undefined, problems: [problemOf(error)] };
  }
}

export async function problemsOf(check: () => unknown): Promise<readonly Problem[]> {
  return (await runCheck(check)).problems;
}

/** Gives a remedy to problems that have none. */
export function withRemedy(problems: readonly Problem[], remedy: string): Problem[] {
  return problems.map((problem) => ({ ...problem, remedy: problem.remedy ?? remedy }));
}

/** Each problem once: every check reports the same missing base image. */
export function distinct(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.map((problem) => [`${problem.code} ${problem.what}`, problem])).values()];
}

/** Problems not reported yet, each once: services may lack the same base image as the engine's own tools. */
export function notReported(problems: readonly Problem[], reported: readonly Problem[]): Problem[] {
  return distinct(problems).filter(
    ({ code, what }) => !reported.some((other) => other.code === code && other.what === what),
  );
}

/** The first problem of each code: a registry that is down fails every request, each with another message. */
export function firstOfEachCode(problems: readonly Problem[]): Problem[] {
  return problems.filter(({ code }, index) => problems.findIndex((other) => other.code === code) === index);
}
