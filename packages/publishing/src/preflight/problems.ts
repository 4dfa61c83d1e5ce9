import { problemOf, type Problem } from "@tgo/errors";

/** What a check found, or what it failed of. */
export interface CheckedValue<T> {
  readonly value: T | undefined;
  readonly problems: readonly Problem[];
}

export async function checked<T>(check: () => T | Promise<T>): Promise<CheckedValue<T>> {
  try {
    return { value: await check(), problems: [] };
  } catch (error) {
    return { value: undefined, problems: [problemOf(error)] };
  }
}

export async function problemsOf(check: () => unknown): Promise<readonly Problem[]> {
  return (await checked(check)).problems;
}

/** Problems that say nothing of what to do, with this. */
export function withRemedy(problems: readonly Problem[], remedy: string): Problem[] {
  return problems.map((problem) => ({ ...problem, remedy: problem.remedy ?? remedy }));
}

/** Each problem once: a base that is missing is missing for every check. */
export function distinct(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.map((problem) => [`${problem.code} ${problem.what}`, problem])).values()];
}

/** Those that are not told already, each once: the engine's own tools start from a base that services may miss too. */
export function notReported(problems: readonly Problem[], told: readonly Problem[]): Problem[] {
  return distinct(problems).filter(
    ({ code, what }) => !told.some((other) => other.code === code && other.what === what),
  );
}

/** One of each kind, the first: a registry that is down is down for every question, whatever each makes of it. */
export function oneOfEach(problems: readonly Problem[]): Problem[] {
  return problems.filter(({ code }, index) => problems.findIndex((other) => other.code === code) === index);
}
