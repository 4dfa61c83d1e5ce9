import type { Container, Directory } from "@dagger.io/dagger";
import type { Platform, PythonBuild } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import { baseImage, trusting } from "../context.js";
import { bare, epochSeconds } from "../source.js";
import { stamped } from "../tools/index.js";
import { configure } from "./configure.js";
import environmentScript from "./environment.py";
import { LAYER_TIME, type BuildRequest, type Built } from "./request.js";
import { withSystemPackages } from "./system-packages.js";

/** Pinned: a new exporter or installer must not change an image behind our back. */
const TOOLS = ["poetry==2.1.3", "poetry-plugin-export==1.10.1", "uv==0.13.9"];

/**
 * The glibc wheels are chosen for. With 2_17 several packages of the real services have no wheel; a higher
 * one gains nothing. Symbols up to 2.28 load on every Debian since 10.
 */
const WHEEL_TAGS: Record<Platform, string> = {
  "linux/amd64": "x86_64-manylinux_2_28",
  "linux/arm64": "aarch64-manylinux_2_28",
};

/**
 * A Python service for all platforms at once: packages resolved and fetched by native processes, what the
 * platforms share built once and kept in a layer both images have.
 */
export async function buildPython(request: BuildRequest<PythonBuild>): Promise<Built> {
  requireLock(request);
  const { context, service, platforms, source } = request;
  const builder = await nativeBuilder(request);
  const environments = installLocked(request, builder);
  const application = await stamped(context, compileSource(request, builder), epochSeconds(source.modified));
  const target = service.build.environment;
  const built = await Promise.all(
    platforms.map(async (platform) => {
      const base = await baseImage(context, service.build.base, platform);
      const { container, notes } = await withSystemPackages(request, { platform, container: base });
      const path = await container.envVariable("PATH");
      const variant = container
        .withDirectory(target, environments.directory("common"))
        .withDirectory(target, environments.directory(platform.replace("/", "-")))
        .withDirectory(workdir(request), application)
        .withEnvVariable("PATH", `${target}/bin:${path === "" ? "/usr/local/bin:/usr/bin:/bin" : path}`)
        .withEnvVariable("VIRTUAL_ENV", target)
        .withWorkdir(workdir(request));
      return { platform, container: await configure(request, variant), notes };
    }),
  );
  return {
    variants: built.map(({ platform, container }) => ({ platform, container })),
    notes: built.flatMap(({ notes }) => notes),
  };
}

function workdir(request: BuildRequest): string {
  return request.service.image.workdir ?? "/app";
}

/** Without a lock the exporter would silently resolve from the network: other packages every day. */
function requireLock({ name, source }: BuildRequest): void {
  if (source.entries.map(bare).includes("poetry.lock")) return;
  throw new TgoError("SOURCE", `${name} has no poetry.lock`, {
    remedy:
      "Run poetry lock in the service's folder and commit the file (check that .dockerignore keeps it).",
  });
}

async function nativeBuilder(request: BuildRequest<PythonBuild>): Promise<Container> {
  const { context, service } = request;
  const { pypi } = context.catalog.mirrors;
  let builder = trusting(context, await baseImage(context, service.build.base, context.native))
    .withMountedCache("/root/.cache/pip", context.client.cacheVolume("tgo-pip"))
    .withMountedCache("/root/.cache/uv", context.client.cacheVolume("tgo-uv"))
    .withEnvVariable("PIP_ROOT_USER_ACTION", "ignore")
    .withEnvVariable("PIP_DISABLE_PIP_VERSION_CHECK", "1");
  if (pypi !== undefined) {
    builder = builder.withEnvVariable("PIP_INDEX_URL", pypi).withEnvVariable("UV_DEFAULT_INDEX", pypi);
  }
  return builder.withExec(["pip", "install", "--quiet", ...TOOLS]);
}

function installLocked(request: BuildRequest<PythonBuild>, builder: Container): Directory {
  const { source, service, platforms } = request;
  const { environment, groups } = service.build;
  const requirements = builder
    .withWorkdir("/work")
    .withFile("pyproject.toml", source.directory.file("pyproject.toml"))
    .withFile("poetry.lock", source.directory.file("poetry.lock"))
    .withExec([
      "poetry",
      "export",
      "--no-interaction",
      "--only",
      groups.join(","),
      "--output",
      "requirements.txt",
    ])
    .file("requirements.txt");
  return builder
    .withMountedFile("/run/tgo/requirements.txt", requirements)
    .withNewFile("/run/tgo/environment.py", environmentScript)
    .withExec([
      ...["python3", "/run/tgo/environment.py", "--requirements", "/run/tgo/requirements.txt"],
      ...["--environment", environment, "--out", "/out", "--time", `${LAYER_TIME}`],
      ...platforms.flatMap((platform) => [
        "--platform",
        `${platform.replace("/", "-")}=${WHEEL_TAGS[platform]}`,
      ]),
    ])
    .directory("/out");
}

/** The application with its bytecode, at the path it will have: tracebacks name it. */
function compileSource(request: BuildRequest<PythonBuild>, builder: Container): Directory {
  const source = request.source.directory.filter({ exclude: request.service.build.exclude });
  const compile = ["python3", "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash"];
  return builder
    .withDirectory(workdir(request), source)
    .withExec(["sh", "-c", `${compile.join(" ")} "$1" || true`, "sh", workdir(request)])
    .directory(workdir(request));
}

/** What a failed build of this strategy most often means. */
export const PYTHON_REMEDY =
  "If the lock is out of date: run poetry lock and commit it. If a package has no wheel for a platform: " +
  "choose a version that has one. If the index cannot be reached: set mirrors.pypi in tgo.catalog.json.";
