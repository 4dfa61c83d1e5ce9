import { problemOf, type Problem } from "@tgo/report";

/** What a check found, or what it failed of. */
export interface Checked<T> {
  readonly value: T | undefined;
  readonly problems: readonly Problem[];
}

export async function checked<T>(check: () => T | Promise<T>): Promise<Checked<T>> {
  try {
    return { value: await check(), problems: [] };
  } catch (error) {
    return { value: undefined, problems: [problemOf(error)] };
  }
}

export async function problemsOf(check: () => unknown): Promise<readonly Problem[]> {
  return (await checked(check)).problems;
}

/** Each problem once: a registry that is down is down for every question, a base that is missing for every check. */
export function distinct(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.map((problem) => [`${problem.code} ${problem.what}`, problem])).values()];
}
