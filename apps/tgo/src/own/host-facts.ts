import { registryRepository, type Catalog } from "@tgo/catalog";
import {
  connects,
  countCertificates,
  registryFacts,
  runProgramOf,
  type HostFacts,
  type Seen,
} from "@tgo/doctor";
import { problemOf, TgoError, type Problem } from "@tgo/errors";
import { cacheFolder, readInputFile, readReason, runProgram } from "@tgo/host";
import { checkHost, emulationProblem, emulatorOf, hostPlatform } from "@tgo/local-engine";
import { Redactor } from "@tgo/redaction";
import { isLoopback } from "@tgo/registry";
import { access, constants, statfs } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import manifest from "../../package.json";
import { hostCredentials, readDefaultDockerConfig, type CredentialSource } from "../docker-config.js";
import { chooseEngine } from "../engine.js";
import { settings } from "./doctor-settings.js";
import type { OwnRun } from "./own-run.js";

type Environment = Readonly<Record<string, string | undefined>>;

export interface FactsOptions {
  /** The catalog that counts, with its mirrors, or why there is none. */
  readonly catalog: Seen<{ readonly catalog: Catalog; readonly from: string }>;
  readonly isDockerRunning: () => Promise<boolean>;
}

/** Looks at this machine. Builds, pushes and starts nothing. */
export async function hostFacts(
  { process, product, invocation }: OwnRun,
  { catalog, isDockerRunning }: FactsOptions,
): Promise<HostFacts> {
  const { env, cwd, home } = process;
  const { engine: setting, caBundle, dockerConfig } = settings(invocation, { env, cwd });
  const choice = await chooseEngine(setting, env, isDockerRunning);
  const logins = await seen(() => credentialsOf(dockerConfig, { env, cwd, home }));
  const lookUp = "problem" in logins ? undefined : logins.source;
  const known = "problem" in catalog ? undefined : catalog.catalog;
  const [service = "image"] = Object.keys(known?.services ?? {});
  const version = choice.engine === "dagger" ? await daggerVersion(env) : undefined;
  return {
    tgo: { version: product.version, node: globalThis.process.versions.node },
    engine: {
      kind: choice.engine,
      why: choice.why,
      expected: manifest.dependencies["@dagger.io/dagger"],
      ...(version === undefined ? {} : { version }),
      problems:
        choice.engine === "local"
          ? checkHost().map((error) => problemOf(error))
          : await engineProblems(env, isDockerRunning),
    },
    platforms: await Promise.all(
      (known?.platforms ?? PLATFORMS).map((platform) => platformFacts(platform, env)),
    ),
    disk: await seen(() =>
      diskFacts(env, { services: Object.keys(known?.services ?? {}).length, engine: choice.engine }),
    ),
    catalog:
      "problem" in catalog
        ? catalog
        : { from: catalog.from, services: Object.keys(catalog.catalog.services).length },
    credentials: "problem" in logins ? logins : { from: logins.from },
    registries: await Promise.all(
      Object.entries(known?.registries ?? {}).map(async ([name, registry]) => {
        const { host, repository } = registryRepository(registry, service);
        const facts = { name, required: registry.required, repository };
        const credentials = await seen(async () => ({ found: await lookUp?.(host) }));
        if ("problem" in credentials) return { ...facts, host, hasLogin: false, push: credentials };
        const { found } = credentials;
        return registryFacts(facts, { host, ...(found === undefined ? {} : { credentials: found }) });
      }),
    ),
    mirrors: known === undefined ? [] : await mirrorFacts(known.mirrors),
    ca: await seen(() => caFacts(caBundle)),
    proxies: await proxyFacts(env),
    git: await programVersion("git", env),
  };
}

const PLATFORMS = ["linux/amd64", "linux/arm64"] as const;

async function seen<T>(look: () => Promise<T>): Promise<Seen<T>> {
  try {
    return await look();
  } catch (error) {
    return { problem: problemOf(error) };
  }
}

async function platformFacts(
  platform: (typeof PLATFORMS)[number],
  env: Environment,
): Promise<HostFacts["platforms"][number]> {
  if (platform === hostPlatform()) return { platform, runs: { by: "natively" } };
  const missing = emulationProblem(platform);
  if (missing !== undefined) return { platform, runs: { problem: problemOf(missing) } };
  const problem = await runProgramOf(platform);
  if (problem !== undefined) return { platform, runs: { problem } };
  const path = emulatorOf(platform);
  const version = path === undefined ? undefined : await programVersion(path, env);
  return { platform, runs: { by: `emulated by ${version ?? path ?? "the kernel"}` } };
}

/** Why Dagger's engine cannot be used: nothing answers where it is, or there is no Docker to start it. */
async function engineProblems(
  env: Environment,
  isDockerRunning: FactsOptions["isDockerRunning"],
): Promise<Problem[]> {
  const session = env.DAGGER_SESSION_PORT ?? "";
  const variable = session === "" ? "_EXPERIMENTAL_DAGGER_RUNNER_HOST" : "DAGGER_SESSION_PORT";
  const address = session === "" ? (env[variable] ?? "") : `http://127.0.0.1:${session}`;
  if (/^(?:tcp|unix|http):/.test(address)) {
    const found = await connects(address, `Start the engine, correct ${variable}, or add --engine local.`);
    return found === undefined ? [] : [{ ...found, what: `Dagger's engine ${found.what}` }];
  }
  const needsDocker = address === "" || address.startsWith("docker-");
  return !needsDocker || (await isDockerRunning())
    ? []
    : [
        problemOf(
          new TgoError("ENVIRONMENT", "Docker, which runs Dagger's engine, is not running", {
            remedy:
              "Start Docker, let _EXPERIMENTAL_DAGGER_RUNNER_HOST name an engine, or add --engine local.",
          }),
        ),
      ];
}

async function diskFacts(
  env: Environment,
  { services, engine }: { readonly services: number; readonly engine: "dagger" | "local" },
): Promise<{ path: string; freeBytes: number; services: number }> {
  const path = cacheFolder(env);
  // The folder is made by the first build.
  for (let at = path; ; at = dirname(at)) {
    const found = await statfs(at).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT" || dirname(at) === at) throw error;
      return undefined;
    });
    if (found === undefined) continue;
    if (engine === "local") await checkWritable(at, found);
    return { path, freeBytes: found.bavail * found.bsize, services };
  }
}

/** @throws TgoError ENVIRONMENT if no file can be written in a folder: it is read-only, or its disk takes no more files */
async function checkWritable(
  path: string,
  disk: { readonly files: number; readonly ffree: number },
): Promise<void> {
  const remedy = "Let XDG_CACHE_HOME name a folder on another disk.";
  await access(path, constants.W_OK).catch((cause: unknown) => {
    throw new TgoError("ENVIRONMENT", `cannot be written to: ${readReason(cause)}`, {
      where: path,
      remedy,
      cause,
    });
  });
  // A disk without a table of files has none to count.
  if (disk.files > 0 && disk.ffree < MIN_FILES)
    throw new TgoError(
      "ENVIRONMENT",
      `takes only ${disk.ffree} more files, whatever space is left (inodes)`,
      {
        where: path,
        remedy: `Remove files there. ${remedy}`,
      },
    );
}

/** A Python service with its interpreter has about this many. */
const MIN_FILES = 10_000;

/** Of the dagger command, or of the engine's container, without starting either. */
async function daggerVersion(env: Environment): Promise<string | undefined> {
  const command = env._EXPERIMENTAL_DAGGER_CLI_BIN ?? "";
  const text =
    command === ""
      ? await firstLine("docker", ["ps", "--filter", "name=dagger-engine", "--format", "{{.Image}}"], env)
      : await firstLine(command, ["version"], env);
  return /v?(\d+\.\d+\.\d+(?:-[\w.]+)?)/.exec(text ?? "")?.[1];
}

function programVersion(program: string, env: Environment): Promise<string | undefined> {
  return firstLine(program, ["--version"], env);
}

async function firstLine(
  program: string,
  args: readonly string[],
  env: Environment,
): Promise<string | undefined> {
  try {
    const { stdout, exitCode } = await runProgram(program, { args, env, timeoutMs: 5000 });
    const [line = ""] = stdout.trim().split("\n");
    return exitCode === 0 && line !== "" ? line : undefined;
  } catch {
    return undefined;
  }
}

/** The logins of Docker's config: the named one, else the caller's. */
export async function credentialsOf(
  given: string | undefined,
  { env, cwd, home }: { readonly env: Environment; readonly cwd: string; readonly home: string },
): Promise<{ readonly source: CredentialSource | undefined; readonly from: string | undefined }> {
  const redaction = new Redactor();
  const config =
    given === undefined
      ? await readDefaultDockerConfig(env, home)
      : { path: given, text: await readText(resolve(cwd, given)) };
  if (config === undefined) return { source: undefined, from: undefined };
  return { source: hostCredentials(config, env, redaction), from: config.path };
}

async function readText(path: string): Promise<string> {
  try {
    return (await readInputFile(path)).bytes.toString();
  } catch (cause) {
    throw new TgoError("ENVIRONMENT", `cannot be read: ${readReason(cause)}`, {
      where: path,
      remedy: "Correct --docker-config or TGO_DOCKERCONFIG, or docker login.",
      cause,
    });
  }
}

async function mirrorFacts({ images, ...indexes }: Catalog["mirrors"]): Promise<HostFacts["mirrors"]> {
  const addresses = [
    ...Object.entries(images).map(([host, mirror]) => {
      const [first = ""] = mirror.split("/");
      return [host, `${isLoopback(first) ? "http" : "https"}://${mirror}`] as const;
    }),
    ...Object.entries(indexes).flatMap(([name, url]) =>
      typeof url === "string" ? [[name, url] as const] : [],
    ),
  ];
  return Promise.all(
    addresses.map(async ([name, url]) => {
      const problem = await connects(url, "Correct mirrors in the catalog, or --mirror.");
      const address = withoutCredentials(url);
      return problem === undefined ? { name, address } : { name, address, problem };
    }),
  );
}

async function caFacts(bundle: {
  readonly path: string | undefined;
  readonly from: string;
}): Promise<Exclude<HostFacts["ca"], { readonly problem: unknown }>> {
  const { path, from } = bundle;
  if (path === undefined) return { from: undefined, certificates: 0, expired: 0 };
  const remedy = `Let ${from} name a PEM file with the certificate authorities to trust, or unset it.`;
  const text = await readInputFile(path).catch((cause: unknown) => {
    throw new TgoError("ENVIRONMENT", `${from} cannot be read: ${readReason(cause)}`, {
      where: path,
      remedy,
      cause,
    });
  });
  const counted = countCertificates(text.bytes.toString("latin1"));
  if (counted === undefined)
    throw new TgoError("ENVIRONMENT", `${from} has no certificate in PEM`, { where: path, remedy });
  return { from: path, ...counted, onlyBuilds: from !== "NODE_EXTRA_CA_CERTS" };
}

const PROXIES = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

async function proxyFacts(env: Environment): Promise<HostFacts["proxies"]> {
  const named = PROXIES.flatMap((name) => {
    const value = env[name] ?? "";
    return value === "" ? [] : [[name, value] as const];
  });
  return Promise.all(
    named.map(async ([name, value]) => {
      const url = value.includes("://") ? value : `http://${value}`;
      const address = withoutCredentials(url);
      const problem = await connects(
        url,
        `Correct or unset ${name}; hosts that need no proxy belong in NO_PROXY.`,
      );
      return problem === undefined ? { name, address } : { name, address, problem };
    }),
  );
}

function withoutCredentials(address: string): string {
  if (!URL.canParse(address)) return "not a URL";
  const url = new URL(address);
  url.username = "";
  url.password = "";
  return url.href.replace(/\/$/, "");
}
