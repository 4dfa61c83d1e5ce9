import type { Container } from "@dagger.io/dagger";
import type { Platform, PythonBuild } from "@tgo/catalog";
import { baseImage, withCaBundle, type BuildContext } from "../build-context.js";
import { buildError } from "../build-error.js";
import type { BuildRequest } from "../build-request.js";
import applicationProgram from "./application.py";
import buildProgram from "./build.py";
import environmentProgram from "./environment.py";
import fetchModule from "./fetch.py";
import indexModule from "./index.py";
import layerModule from "./layer.py";
import lockProgram from "./lock.py";
import lockFileModule from "./lock_file.py";
import lockPoetryModule from "./lock_poetry.py";
import lockUvModule from "./lock_uv.py";
import planProgram from "./plan.py";
import problemModule from "./problem.py";
import projectModule from "./project.py";
import sdistModule from "./sdist.py";
import { POETRY } from "./tools/poetry.js";
import { PROGRAMS } from "./tools/programs.js";
import { UV } from "./tools/uv.js";
import verifyModule from "./verify.py";
import wheelsModule from "./wheels.py";

/** Our programs in a container, and the modules each of them imports. */
const PROGRAM_FILES = {
  application: { "application.py": applicationProgram, "layer.py": layerModule },
  lock: {
    "lock.py": lockProgram,
    "lock_file.py": lockFileModule,
    "lock_poetry.py": lockPoetryModule,
    "lock_uv.py": lockUvModule,
    "problem.py": problemModule,
    "project.py": projectModule,
  },
  plan: {
    "fetch.py": fetchModule,
    "index.py": indexModule,
    "plan.py": planProgram,
    "problem.py": problemModule,
    "sdist.py": sdistModule,
    "wheels.py": wheelsModule,
  },
  build: {
    "build.py": buildProgram,
    "index.py": indexModule,
    "problem.py": problemModule,
    "sdist.py": sdistModule,
    "verify.py": verifyModule,
  },
  environment: {
    "environment.py": environmentProgram,
    "fetch.py": fetchModule,
    "layer.py": layerModule,
    "problem.py": problemModule,
  },
} satisfies Record<string, Record<string, string>>;

/** Files that are downloaded, by hash; see fetch.py. */
export const DOWNLOADS = "/var/cache/tgo/downloads";
const TOOLS = "/opt/tgo";
const PROGRAM_FOLDER = "/run/tgo/python";

/** The service's base image of a platform, for steps that download: caches, certificates, credentials. */
export async function downloading(
  { context, service }: BuildRequest<PythonBuild>,
  platform: Platform,
): Promise<Container> {
  const { client, secrets } = context;
  const container = withCaBundle(context, await baseImage(context, service.build.base, platform))
    .withMountedCache("/root/.cache/pip", client.cacheVolume("tgo-pip"))
    .withMountedCache("/root/.cache/uv", client.cacheVolume("tgo-uv"))
    .withMountedCache(DOWNLOADS, client.cacheVolume("tgo-python-downloads"))
    .withEnvVariable("PIP_ROOT_USER_ACTION", "ignore")
    .withEnvVariable("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    .withEnvVariable("PYTHONDONTWRITEBYTECODE", "1");
  return secrets.netrc === undefined ? container : container.withMountedSecret("/root/.netrc", secrets.netrc);
}

/** A container, native unless a platform is given, with uv, and with what our programs import; all of it known by hash. */
export async function withTools(
  request: BuildRequest<PythonBuild>,
  platform = request.context.native,
): Promise<Container> {
  const { context } = request;
  const base = await downloading(request, platform);
  const container = base
    .withNewFile(`${TOOLS}/uv.txt`, UV)
    .withNewFile(`${TOOLS}/programs.txt`, PROGRAMS)
    .withExec([
      ...[
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-compile",
        "--require-hashes",
        "--only-binary",
        ":all:",
      ],
      ...["--target", `${TOOLS}/uv`, "--index-url", pypi(context), "--requirement", `${TOOLS}/uv.txt`],
    ])
    .withEnvVariable("PATH", `${TOOLS}/uv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`)
    .withExec(install(context, "programs"));
  return told(context, container);
}

/** With Poetry beside: only services with a poetry.lock wait for it. */
export function withPoetry({ context }: BuildRequest<PythonBuild>, tools: Container): Promise<Container> {
  return told(context, tools.withNewFile(`${TOOLS}/poetry.txt`, POETRY).withExec(install(context, "poetry")));
}

function install(context: BuildContext, set: "programs" | "poetry"): string[] {
  const uv =
    "uv pip install --quiet --no-config --no-deps --require-hashes --only-binary :all: --link-mode copy";
  const where = `--python ${TOOLS}/${set}/bin/python --requirements ${TOOLS}/${set}.txt`;
  const script = `uv venv --quiet --no-config ${TOOLS}/${set} && ${uv} ${where} --default-index "$1"`;
  return ["sh", "-c", script, "sh", pypi(context)];
}

async function told(context: BuildContext, container: Container): Promise<Container> {
  try {
    return await container.sync();
  } catch (error) {
    const from =
      context.catalog.mirrors.pypi === undefined
        ? "They come from PyPI: where it is out of reach, set mirrors.pypi in tgo.catalog.json, or pass --mirror pypi=URL."
        : `They come from ${pypi(context)}, where mirrors.pypi (or --mirror pypi=URL) leads: check that it answers.`;
    throw buildError(
      "installing the tools of Python builds",
      `${from} Behind a proxy that inspects TLS: --ca-bundle FILE.`,
      error,
    );
  }
}

function pypi({ catalog }: BuildContext): string {
  return catalog.mirrors.pypi ?? "https://pypi.org/simple";
}

/** The option that names PyPI's mirror to our programs. */
export function mirrorOption({ catalog }: BuildContext): string[] {
  return catalog.mirrors.pypi === undefined ? [] : ["--pypi", catalog.mirrors.pypi];
}

/**
 * A container with one of our programs in it.
 * @param python whose packages it imports; the base image's own for programs that import none
 */
export function withProgram(container: Container, program: keyof typeof PROGRAM_FILES): Container {
  return Object.entries(PROGRAM_FILES[program]).reduce(
    (result, [file, text]) => result.withNewFile(`${PROGRAM_FOLDER}/${file}`, text),
    container,
  );
}

/** The command line of a program. */
export function run(
  program: keyof typeof PROGRAM_FILES,
  args: readonly string[],
  interpreter: "programs" | "poetry" | "base" = "programs",
): string[] {
  const python = interpreter === "base" ? "python3" : `${TOOLS}/${interpreter}/bin/python`;
  return [python, `${PROGRAM_FOLDER}/${program}.py`, ...args];
}
