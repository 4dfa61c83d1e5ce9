import type { HostOptions } from "@tgo/functions";
import { type GitRun, tagFacts } from "@tgo/git";
import { resolve } from "node:path";
import {
  findCheckout,
  gitStateOfSource,
  type GitReading,
  type GitState,
  type Uncommitted,
} from "./checkout.js";
import type { Invocation } from "./command-line.js";
import type { FlagValues, Scalar } from "./flag-values.js";
import type { Argument, ModuleApi } from "./module-api.js";
import type { ResolvedArgument } from "./resolve-arguments.js";

export interface FoundSource {
  /** Source arguments that are not resolved from their own flag. */
  readonly resolved: ReadonlyMap<string, ResolvedArgument>;
  readonly uncommitted: Uncommitted | undefined;
  /** Set in a release of a checkout. */
  readonly differences: HostOptions["differences"];
  /** Set where the source may be a checkout. */
  readonly tagFacts?: HostOptions["tagFacts"];
}

export interface SourceHost extends GitRun {
  readonly cwd: string;
}

/**
 * Finds the source and its commit, and sets the commit's values that were not given. The source of a release is the
 * commit's files, not the folder's.
 */
export async function findSource(
  invocation: Invocation,
  moduleApi: ModuleApi,
  values: Map<string, Scalar | readonly Scalar[]>,
  { cwd, ...run }: SourceHost,
): Promise<FoundSource> {
  const resolved = new Map<string, ResolvedArgument>();
  const isDirectory = ({ type }: Argument): boolean => type.name === "Directory";
  const source = invocation.function.arguments.find((each) => isDirectory(each) && each.name === "source");
  // The module gets the repository around it when the caller names no source.
  const repository = moduleApi.constructor.arguments.find(
    (each) => isDirectory(each) && each.contextual !== undefined,
  );
  // An image that is named by its reference has no source here.
  if (source === undefined || repository === undefined || values.has("reference"))
    return { resolved, uncommitted: undefined, differences: undefined };
  const reading = { ...run, ...releaseOf(values) };
  const given = values.get(source.name);
  const folder = resolve(
    cwd,
    [given, values.get(repository.name)].find((each) => typeof each === "string") ?? ".",
  );
  const facts: HostOptions["tagFacts"] = (tag, branch) => {
    const revision = values.get("revision");
    return tagFacts(
      { ...run, folder },
      {
        tag,
        ...(typeof revision === "string" ? { revision } : {}),
        ...(branch === undefined ? {} : { branch }),
      },
    );
  };
  let git: GitState = {};
  if (given === undefined) {
    const service = values.get("service");
    const services = service === undefined ? [] : [service].flat().map(String);
    const named = values.get(repository.name);
    const root = typeof named === "string" ? resolve(cwd, named) : undefined;
    const checkout = await findCheckout(repository, { cwd, root, services, git: reading });
    resolved.set(checkout.kind === "service" ? source.name : repository.name, checkout.directory);
    git = checkout.git;
  } else if (typeof given === "string") {
    git = await gitStateOfSource(resolve(cwd, given), given, reading);
    const { release } = git;
    if (release !== undefined) resolved.set(source.name, (client) => client.host().directory(release.folder));
  }
  const { commit, uncommitted, release } = git;
  if (commit === undefined) return { resolved, uncommitted, differences: undefined, tagFacts: facts };
  const takes = (name: string): boolean => invocation.function.arguments.some((each) => each.name === name);
  const lacks = (name: string): boolean => !values.has(name) && takes(name);
  if (takes("revision") && (release !== undefined || (uncommitted === undefined && lacks("revision"))))
    values.set("revision", commit.revision);
  // The commit's time, also when --revision named the same commit.
  if (values.get("revision") === commit.revision && commit.created !== undefined && lacks("created"))
    values.set("created", commit.created);
  return { resolved, uncommitted, differences: release?.differences, tagFacts: facts };
}

/** A call that builds a version, or checks whether it can be built. */
function releaseOf(values: FlagValues): Pick<GitReading, "release"> {
  if (!values.has("version") && !values.has("gitTag")) return {};
  const revision = values.get("revision");
  return { release: typeof revision === "string" ? { revision } : {} };
}
