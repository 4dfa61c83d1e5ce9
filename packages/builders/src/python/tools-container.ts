import type { Container } from "@dagger.io/dagger";
import type { Platform, PythonBuild } from "@tgo/catalog";
import { baseImage, withCaBundle, type BuildContext } from "../build-context.js";
import { buildError } from "../build-error.js";
import type { BuildRequest } from "../build-request.js";
import poetryLock from "./tool-locks/poetry.txt";
import programsLock from "./tool-locks/programs.txt";
import uvLock from "./tool-locks/uv.txt";

/** The cache of downloaded files, keyed by hash; see download.py. */
export const DOWNLOADS = "/var/cache/tgo/downloads";

/** Where the tools are installed in the container. */
export const TOOLS = "/opt/tgo";

/** The service's base image with caches, CA certificates and credentials, for steps that download. */
export async function downloadContainer(
  { context, service }: BuildRequest<PythonBuild>,
  platform: Platform,
): Promise<Container> {
  const { client, secrets } = context;
  const container = withCaBundle(context, await baseImage(context, service.build.base, platform))
    .withMountedCache("/root/.cache/uv", client.cacheVolume("tgo-uv"))
    .withMountedCache(DOWNLOADS, client.cacheVolume("tgo-python-downloads"))
    .withEnvVariable("PIP_NO_CACHE_DIR", "1")
    .withEnvVariable("PIP_ROOT_USER_ACTION", "ignore")
    .withEnvVariable("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    .withEnvVariable("PYTHONDONTWRITEBYTECODE", "1");
  return secrets.netrc === undefined ? container : container.withMountedSecret("/root/.netrc", secrets.netrc);
}

/**
 * A container with uv and the packages that our programs import, all pinned by hash.
 * @param platform the engine's own if omitted
 */
export async function pythonToolsContainer(
  request: BuildRequest<PythonBuild>,
  platform = request.context.native,
): Promise<Container> {
  const { context } = request;
  const base = await downloadContainer(request, platform);
  const container = base
    .withNewFile(`${TOOLS}/uv.txt`, uvLock)
    .withNewFile(`${TOOLS}/programs.txt`, programsLock)
    .withExec([
      ...["pip", "install", "--quiet", "--no-deps", "--no-compile"],
      ...["--require-hashes", "--only-binary", ":all:"],
      ...["--target", `${TOOLS}/uv`, "--index-url", pypi(context), "--requirement", `${TOOLS}/uv.txt`],
    ])
    .withEnvVariable("PATH", `${TOOLS}/uv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`)
    .withExec(installCommand(context, "programs"));
  return installed(context, container);
}

/** Adds Poetry; only services with a poetry.lock need it. */
export function withPoetry({ context }: BuildRequest<PythonBuild>, tools: Container): Promise<Container> {
  const container = tools.withNewFile(`${TOOLS}/poetry.txt`, poetryLock);
  return installed(context, container.withExec(installCommand(context, "poetry")));
}

/** Without uv's cache: it takes unpacked packages from there without looking at them, damaged ones too. */
function installCommand(context: BuildContext, set: "programs" | "poetry"): string[] {
  const uv =
    "uv pip install --quiet --no-config --no-cache --no-deps --require-hashes --only-binary :all: --link-mode copy";
  const where = `--python ${TOOLS}/${set}/bin/python --requirements ${TOOLS}/${set}.txt`;
  const script = `uv venv --quiet --no-config ${TOOLS}/${set} && ${uv} ${where} --default-index "$1"`;
  return ["sh", "-c", script, "sh", pypi(context)];
}

async function installed(context: BuildContext, container: Container): Promise<Container> {
  try {
    return await container.sync();
  } catch (error) {
    const origin =
      context.catalog.mirrors.pypi === undefined
        ? "They come from PyPI. If it is unreachable from here, set mirrors.pypi in tgo.catalog.json or pass --mirror pypi=URL."
        : `They come from ${pypi(context)}, set by mirrors.pypi or --mirror pypi=URL. Check that it is reachable.`;
    throw buildError(
      "installing the Python build tools",
      `${origin} Behind a TLS-inspecting proxy, pass --ca-bundle FILE.`,
      error,
    );
  }
}

function pypi({ catalog }: BuildContext): string {
  return catalog.mirrors.pypi ?? "https://pypi.org/simple";
}

/** The option that passes PyPI's mirror to our programs. */
export function mirrorOption({ catalog }: BuildContext): string[] {
  return catalog.mirrors.pypi === undefined ? [] : ["--pypi", catalog.mirrors.pypi];
}
