import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { isTgoError, TgoError } from "@tgo/errors";
import type { Uncommitted } from "@tgo/builders";
import { resolveArguments, type ResolvedArgument } from "./resolve-arguments.js";
import { findCheckout, givenState, type GitState } from "./checkout.js";
import type { CredentialSource } from "./docker-config.js";
import type { CliProcess } from "./process.js";
import type { Invocation } from "./program.js";
import type { Redaction } from "./redaction.js";
import { readSecret } from "./secret.js";
import type { Argument, ModuleApi } from "./module-api.js";
import type { Scalar } from "./value.js";

/** Everything read and checked on this machine; nothing is started yet. */
export interface PreparedCall {
  readonly constructorArguments: readonly ResolvedArgument[];
  readonly functionArguments: readonly ResolvedArgument[];
  readonly credentials: Credentials;
  readonly caBundle: string | undefined;
  /** The catalog file's mirrors of base images, by host. */
  readonly mirrors: Readonly<Record<string, string>>;
  /** What keeps a commit from being exactly the source. */
  readonly uncommitted: Uncommitted | undefined;
}

export interface Credentials {
  /** Looks credentials up on this machine. */
  readonly host: CredentialSource | undefined;
  /** The same, unless the module looks them up itself, in the config it is given. */
  readonly module: CredentialSource | undefined;
}

type Values = Map<string, Scalar | readonly Scalar[]>;

/** @throws TgoError USAGE for a path, secret or address that is not there, naming where it was given. */
export async function prepareCall(
  invocation: Invocation,
  surface: ModuleApi,
  process: Pick<CliProcess, "env" | "cwd" | "home">,
  redaction: Redaction,
): Promise<PreparedCall> {
  try {
    return await prepareAll(invocation, surface, process, redaction);
  } catch (error) {
    if (!isTgoError(error)) throw error;
    const { code, what, where, remedy, cause } = error;
    const named = [...invocation.origins].reduce((text, [name, from]) => {
      const flag = surface.constructor.arguments.find((argument) => argument.name === name)?.flag;
      return flag === undefined ? text : text.replaceAll(new RegExp(`--${flag}(?![\\w-])`, "g"), from);
    }, what);
    throw named === what ? error : new TgoError(code, named, { where, remedy, cause });
  }
}

async function prepareAll(
  invocation: Invocation,
  surface: ModuleApi,
  process: Pick<CliProcess, "env" | "cwd" | "home">,
  redaction: Redaction,
): Promise<PreparedCall> {
  const values: Values = new Map(invocation.values);
  await checkVersion(values);
  const place = { ...process, redaction };
  const caBundle = await caBundleOf(invocation, process);
  const has = (name: string): boolean =>
    surface.constructor.arguments.some((argument) => argument.name === name);
  if (has("caBundle") && caBundle !== undefined) values.set("caBundle", caBundle);
  const credentials = await takeCredentials(values, process, redaction);
  const { bound, uncommitted } = await bindSource(invocation, surface, values, process.cwd);
  const bindAll = (all: readonly Argument[]): Promise<ResolvedArgument[]> =>
    Promise.all(
      all.map(
        async (argument) =>
          bound.get(argument.name) ?? (await resolveArguments(argument, values.get(argument.name), place)),
      ),
    );
  return {
    constructorArguments: await bindAll(surface.constructor.arguments),
    functionArguments: await bindAll(invocation.function.arguments),
    credentials,
    caBundle,
    mirrors: await imageMirrors(values, process.cwd),
    uncommitted,
  };
}

/** The module parses it again; a typing error need not wait for an engine to start. */
async function checkVersion(values: Values): Promise<void> {
  const version = values.get("version");
  if (typeof version !== "string") return;
  const { parseVersion } = await import("@tgo/release-rules");
  parseVersion(version, "--version");
}

/** Read loosely: the module parses the same file, and says what is wrong with it. */
async function imageMirrors(values: Values, cwd: string): Promise<Readonly<Record<string, string>>> {
  const flags = [values.get("mirror") ?? []].flat().flatMap((flag) => {
    const [, host, address] = /^([^=]*[.:][^=]*)=([^/:]+(?::\d+)?(?:\/.*)?)$/.exec(String(flag)) ?? [];
    return host === undefined || address === undefined ? [] : [[host, address] as const];
  });
  return { ...(await catalogMirrors(values.get("catalog"), cwd)), ...Object.fromEntries(flags) };
}

async function catalogMirrors(catalog: unknown, cwd: string): Promise<Readonly<Record<string, string>>> {
  if (typeof catalog !== "string") return {};
  try {
    const file = JSON.parse(await readFile(resolve(cwd, catalog), "utf8")) as {
      mirrors?: { images?: Readonly<Record<string, string>> };
    };
    return file.mirrors?.images ?? {};
  } catch {
    return {};
  }
}

/**
 * Where this machine has to look credentials up itself: no config was named, or the one that was keeps them
 * in helpers. A config with everything in it goes to the module as it is.
 */
async function takeCredentials(
  values: Values,
  { env, cwd, home }: Pick<CliProcess, "env" | "cwd" | "home">,
  redaction: Redaction,
): Promise<Credentials> {
  const given = values.get("dockerConfig");
  // Its zod takes longer to load than help takes to print.
  const { hostCredentials, needsHelpers, readDefaultDockerConfig } = await import("./docker-config.js");
  if (typeof given !== "string") {
    const config = await readDefaultDockerConfig(env, home);
    const host = config === undefined ? undefined : hostCredentials(config, env, redaction);
    return { host, module: host };
  }
  const text = await readSecret("docker-config", given, { env, cwd });
  const host = hostCredentials({ path: `--docker-config ${given}`, text }, env, redaction);
  if (!needsHelpers(text)) return { host, module: undefined };
  values.delete("dockerConfig");
  return { host, module: host };
}

async function caBundleOf(
  { settings, values }: Invocation,
  { env, cwd }: Pick<CliProcess, "env" | "cwd">,
): Promise<string | undefined> {
  const given = values.get("caBundle") ?? settings.caBundle;
  const [text, from] =
    typeof given === "string"
      ? [given, "--ca-bundle"]
      : (env.TGO_CA_BUNDLE ?? "") !== ""
        ? [env.TGO_CA_BUNDLE, "TGO_CA_BUNDLE"]
        : [env.NODE_EXTRA_CA_CERTS, "NODE_EXTRA_CA_CERTS"];
  if (text === undefined || text === "") return undefined;
  const path = resolve(cwd, text);
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() === true) return path;
  // Node itself only warns about its own variable, so a stale one must not stop anything.
  if (from === "NODE_EXTRA_CA_CERTS") return undefined;
  throw new TgoError("USAGE", `there is no such file (${from})`, {
    where: path,
    remedy: "Name a PEM file with the certificate authorities to trust.",
  });
}

interface Source {
  /** The arguments about the source that were not given, found around the current folder. */
  readonly bound: ReadonlyMap<string, ResolvedArgument>;
  readonly uncommitted?: Uncommitted | undefined;
}

/** Finds the source and its commit; what git says of it goes into the values that were not given. */
async function bindSource(
  invocation: Invocation,
  surface: ModuleApi,
  values: Values,
  cwd: string,
): Promise<Source> {
  const bound = new Map<string, ResolvedArgument>();
  const isDirectory = ({ type }: Argument): boolean => type.name === "Directory";
  const source = invocation.function.arguments.find(isDirectory);
  // What the module is given of the repository around it, where the caller names no source.
  const around = surface.constructor.arguments.find(
    (each) => isDirectory(each) && each.contextual !== undefined,
  );
  if (source === undefined || around === undefined) return { bound };
  const given = values.get(source.name);
  let git: GitState = {};
  if (given === undefined) {
    const service = values.get("service");
    const services = service === undefined ? [] : [service].flat().map(String);
    const repository = values.get(around.name);
    const root = typeof repository === "string" ? resolve(cwd, repository) : undefined;
    const checkout = await findCheckout(around, { cwd, root, services });
    bound.set(checkout.kind === "service" ? source.name : around.name, checkout.directory);
    git = checkout.git;
  } else if (typeof given === "string") {
    git = await givenState(resolve(cwd, given), given);
  }
  const { commit, uncommitted } = git;
  if (commit === undefined) return { bound, uncommitted };
  const lacks = (name: string): boolean =>
    !values.has(name) && invocation.function.arguments.some((each) => each.name === name);
  if (uncommitted === undefined && lacks("revision")) values.set("revision", commit.revision);
  // A commit has its time, whoever named it.
  if (values.get("revision") === commit.revision && lacks("created")) values.set("created", commit.created);
  return { bound, uncommitted };
}
