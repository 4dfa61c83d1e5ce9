import { isTgoError, problemOf, TgoError } from "@tgo/errors";
import { findCaBundle } from "./ca-bundle.js";
import type { HostOptions } from "@tgo/functions";
import type { GitRun } from "@tgo/git";
import type { Uncommitted } from "./checkout.js";
import type { Invocation } from "./command-line.js";
import type { CommandProcess } from "./command-process.js";
import type { CredentialSource } from "./docker-config.js";
import type { FlagValues, Scalar } from "./flag-values.js";
import { needsEngine } from "./engine-need.js";
import { engineMirrors, type EngineMirrors } from "./engine-mirrors.js";
import { findSource } from "./find-source.js";
import { returnsFolder, type Argument, type ModuleApi } from "./module-api.js";
import type { Redactor } from "@tgo/redaction";
import { resolveArgument, type ResolvedArgument } from "./resolve-arguments.js";
import { readSecret } from "./secret.js";
import { resolve } from "node:path";
import { folderProblem, writeProblem } from "./write-problem.js";

/** A call with everything read and checked on this machine, before anything is started. */
export interface PreparedCall {
  readonly constructorArguments: readonly ResolvedArgument[];
  readonly functionArguments: readonly ResolvedArgument[];
  readonly credentials: CredentialSources;
  readonly caBundle: string | undefined;
  readonly mirrors: EngineMirrors;
  /** What keeps the source from being exactly a commit. */
  readonly uncommitted: Uncommitted | undefined;
  /** Names what in the checkout differs from the commit that is released. */
  readonly differences: HostOptions["differences"];
  readonly signWith: HostOptions["signWith"];
  /** What git says of a release's tag. */
  readonly tagFacts: HostOptions["tagFacts"];
}

export interface CredentialSources {
  /** Looks up credentials on this machine. */
  readonly host: CredentialSource | undefined;
  /** The same, unless the module reads them from the config it is given. */
  readonly module: CredentialSource | undefined;
}

type Host = Pick<CommandProcess, "env" | "cwd" | "home"> & GitRun;

/** @throws TgoError USAGE for a missing path or secret or a malformed address, naming the flag or variable */
export async function prepareCall(
  invocation: Invocation,
  moduleApi: ModuleApi,
  host: Host,
  redaction: Redactor,
): Promise<PreparedCall> {
  try {
    return await prepareAll(invocation, moduleApi, host, redaction);
  } catch (error) {
    throw isTgoError(error) ? withOrigins(error, invocation, moduleApi) : error;
  }
}

/** The error with the variable's name instead of the flag's, for a value from the environment. */
function withOrigins(error: TgoError, { origins }: Invocation, moduleApi: ModuleApi): TgoError {
  const { code, what, cause } = error;
  const renamed = [...origins].reduce((text, [name, from]) => {
    const flag = moduleApi.constructor.arguments.find((argument) => argument.name === name)?.flag;
    return flag === undefined ? text : text.replaceAll(new RegExp(`--${flag}(?![\\w-])`, "g"), from);
  }, what);
  return renamed === what ? error : new TgoError(code, renamed, { ...problemOf(error), cause });
}

async function prepareAll(
  invocation: Invocation,
  moduleApi: ModuleApi,
  host: Host,
  redaction: Redactor,
): Promise<PreparedCall> {
  const values = new Map(invocation.values);
  await checkVersion(values);
  await checkOutput(invocation, host);
  const caBundle = await findCaBundle(invocation, host);
  const hasCaBundle = moduleApi.constructor.arguments.some(({ name }) => name === "caBundle");
  if (hasCaBundle && caBundle !== undefined) values.set("caBundle", caBundle);
  const credentials = await findCredentials(values, host, redaction);
  const { cwd, folders, signal } = host;
  const found = needsEngine(invocation)
    ? await findSource(invocation, moduleApi, values, { cwd, folders, signal })
    : undefined;
  const resolved = new Map(found?.resolved);
  const { config } = credentials;
  // Read once: a pipe has nothing left the second time.
  if (config !== undefined)
    resolved.set("dockerConfig", (client) => client.setSecret("dockerConfig", config));
  const context = { ...host, redaction };
  const resolveAll = (all: readonly Argument[]): Promise<ResolvedArgument[]> =>
    Promise.all(
      all.map(
        async (argument) =>
          resolved.get(argument.name) ??
          (await resolveArgument(argument, values.get(argument.name), context)),
      ),
    );
  return {
    constructorArguments: await resolveAll(moduleApi.constructor.arguments),
    functionArguments: await resolveAll(invocation.function.arguments),
    credentials,
    caBundle,
    mirrors: await engineMirrors(values, host.cwd),
    uncommitted: found?.uncommitted,
    differences: found?.differences,
    tagFacts: found?.tagFacts,
    signWith: await findSigningCommand(invocation, host),
  };
}

/** Its code and parser are loaded where it is used. */
async function findSigningCommand(
  { settings }: Invocation,
  host: Pick<Host, "env" | "cwd">,
): Promise<HostOptions["signWith"]> {
  if (settings.signingCommand === undefined && settings.signingPublicKey === undefined) return undefined;
  return (await import("./signing-command.js")).readSigningCommand(settings, host);
}

/** The module parses it too, but a typo should not wait for an engine to start. */
async function checkVersion(values: FlagValues): Promise<void> {
  const version = values.get("version");
  if (typeof version !== "string") return;
  const { parseVersion } = await import("@tgo/release-rules");
  parseVersion(version, "--version");
}

async function checkOutput({ function: fn, settings }: Invocation, { cwd }: Host): Promise<void> {
  if (settings.output === undefined) return;
  const path = resolve(cwd, settings.output);
  const reason = await (returnsFolder(fn) ? folderProblem(path) : writeProblem(path));
  if (reason !== undefined)
    throw new TgoError("USAGE", `cannot write the result (--output): ${reason}`, {
      where: path,
      remedy: "Name a file in a folder that exists.",
    });
}

/**
 * This machine looks up the credentials itself if no config was given, or if the given one keeps them in helpers. A
 * config that holds its credentials itself is passed to the module as it is.
 */
async function findCredentials(
  values: Map<string, Scalar | readonly Scalar[]>,
  { env, cwd, home }: Host,
  redaction: Redactor,
): Promise<CredentialSources & { readonly config?: string }> {
  const given = values.get("dockerConfig");
  // Loading its schemas takes longer than printing help.
  const { hostCredentials, needsHelpers, readDefaultDockerConfig } = await import("./docker-config.js");
  if (typeof given !== "string") {
    const config = await readDefaultDockerConfig(env, home);
    const host = config === undefined ? undefined : hostCredentials(config, env, redaction);
    return { host, module: host };
  }
  const text = await readSecret("docker-config", given, { env, cwd });
  const host = hostCredentials({ path: `--docker-config ${given}`, text }, env, redaction);
  if (!needsHelpers(text)) return { host, module: undefined, config: text };
  values.delete("dockerConfig");
  return { host, module: host };
}
