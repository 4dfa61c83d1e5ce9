import { resolve } from "node:path";
import { findCheckout, gitStateOfSource, type GitState, type Uncommitted } from "./checkout.js";
import type { Invocation } from "./command-line.js";
import type { Scalar } from "./flag-values.js";
import type { Argument, ModuleApi } from "./module-api.js";
import type { ResolvedArgument } from "./resolve-arguments.js";

export interface FoundSource {
  /** The source arguments that were not given, found in or around the current folder. */
  readonly resolved: ReadonlyMap<string, ResolvedArgument>;
  readonly uncommitted: Uncommitted | undefined;
}

/** Finds the source and its commit, and sets the commit's values that were not given. */
export async function findSource(
  invocation: Invocation,
  moduleApi: ModuleApi,
  values: Map<string, Scalar | readonly Scalar[]>,
  cwd: string,
): Promise<FoundSource> {
  const resolved = new Map<string, ResolvedArgument>();
  const isDirectory = ({ type }: Argument): boolean => type.name === "Directory";
  const source = invocation.function.arguments.find(isDirectory);
  // The module gets the repository around it when the caller names no source.
  const repository = moduleApi.constructor.arguments.find(
    (each) => isDirectory(each) && each.contextual !== undefined,
  );
  if (source === undefined || repository === undefined) return { resolved, uncommitted: undefined };
  const given = values.get(source.name);
  let git: GitState = {};
  if (given === undefined) {
    const service = values.get("service");
    const services = service === undefined ? [] : [service].flat().map(String);
    const named = values.get(repository.name);
    const root = typeof named === "string" ? resolve(cwd, named) : undefined;
    const checkout = await findCheckout(repository, { cwd, root, services });
    resolved.set(checkout.kind === "service" ? source.name : repository.name, checkout.directory);
    git = checkout.git;
  } else if (typeof given === "string") {
    git = await gitStateOfSource(resolve(cwd, given), given);
  }
  const { commit, uncommitted } = git;
  if (commit === undefined) return { resolved, uncommitted };
  const lacks = (name: string): boolean =>
    !values.has(name) && invocation.function.arguments.some((each) => each.name === name);
  if (uncommitted === undefined && lacks("revision")) values.set("revision", commit.revision);
  // The commit's time, also when --revision named the same commit.
  if (values.get("revision") === commit.revision && lacks("created")) values.set("created", commit.created);
  return { resolved, uncommitted };
}
