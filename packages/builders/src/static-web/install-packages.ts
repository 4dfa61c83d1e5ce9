import type { Container } from "@dagger.io/dagger";
import type { StaticWebBuild } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import { baseImage, withCaBundle, type BuildContext } from "../build-context.js";
import { rangeChecker } from "../container-tools/container-tools.js";
import { execFailure } from "../exec-failure.js";
import { entryName } from "../source/entry-name.js";
import { buildError } from "../build-error.js";
import type { BuildRequest } from "../build-request.js";
import { installFailure } from "./install-failure.js";
import managerScript from "./install-package-manager.sh";
import yarnScript from "./run-yarn.sh";
import { withMirrorAddresses } from "./lock-mirror.js";
import { hasLocalDependency, installManifest } from "./package-json.js";
import { requireNode } from "./node-version.js";
import type { ManagerName, PackageManager } from "./package-manager.js";
import type { Project } from "./read-project.js";

/** The project's folder in the builder. It is the usual one in Dockerfiles, because tools may record the path. */
export const PROJECT = "/app";

const PREFIX = "/opt/tgo";
const CACHES = "/var/cache/tgo";
const NPMRC = "/root/.npmrc";
const RUN_YARN = "/run/tgo/run-yarn.sh";

const INSTALL: Record<ManagerName, readonly string[]> = {
  yarn: [
    ...["sh", RUN_YARN, `${CACHES}/yarn`],
    ...["yarn", "install", "--frozen-lockfile", "--non-interactive", "--no-progress"],
    ...["--network-timeout", "300000"],
  ],
  npm: ["npm", "ci", "--no-audit", "--no-fund"],
  pnpm: ["pnpm", "install", "--frozen-lockfile", "--store-dir", `${CACHES}/pnpm`],
};

/** Files besides package.json and the lock that affect the installation. */
const SETTINGS = [".npmrc", ".yarnrc", "pnpm-workspace.yaml", ".pnpmfile.cjs"];
const SETTINGS_FOLDERS: Record<ManagerName, readonly string[]> = {
  // A committed yarn release, and package archives.
  yarn: [".yarn"],
  npm: [],
  pnpm: ["patches"],
};

/**
 * Installs the locked packages in the builder. The result depends only on package.json (without its version and
 * scripts), the lock and settings, so an edit to the source installs nothing.
 * @throws TgoError BUILD, SOURCE
 */
export async function installPackages(
  request: BuildRequest<StaticWebBuild>,
  project: Project,
): Promise<Container> {
  const { context, name, service, source } = request;
  const { manager, manifest } = project;
  const node = withCaBundle(context, await baseImage(context, service.build.builder, context.native));
  if (manifest.engines.node !== undefined) {
    const version = await node.withExec(["node", "--version"]).stdout();
    const builder = { image: service.build.builder, node: version };
    await requireNode(name, manifest.engines.node, builder, rangeChecker(context));
  }
  const withManager = await providePackageManager(request, manager, configure(context, node, manager.name));
  let builder = withManager.withWorkdir(PROJECT);
  const present = new Set(source.entries.map(entryName));
  if (hasLocalDependency(manifest)) builder = builder.withDirectory(".", source.directory);
  for (const file of SETTINGS.filter((file) => present.has(file))) {
    builder = builder.withFile(file, source.directory.file(file));
  }
  for (const folder of SETTINGS_FOLDERS[manager.name].filter((folder) => present.has(folder))) {
    builder = builder.withDirectory(folder, source.directory.directory(folder));
  }
  const installed = builder
    .withNewFile("package.json", installManifest(manifest))
    .withNewFile(manager.lock, withMirrorAddresses(project.lock, context.catalog.mirrors.npm))
    .withExec([...INSTALL[manager.name]]);
  try {
    return withoutSecrets(context, await installed.sync());
  } catch (error) {
    throw installFailure(name, project, error);
  }
}

/** Sets caches, registry and credentials for the manager and for npm, which downloads the other managers. */
function configure(context: BuildContext, container: Container, manager: ManagerName): Container {
  const { npm } = context.catalog.mirrors;
  let result = container
    .withEnvVariable("CI", "true")
    .withEnvVariable("NO_COLOR", "1")
    .withEnvVariable("npm_config_cache", `${CACHES}/npm`)
    .withEnvVariable("npm_config_update_notifier", "false")
    // By default npm retries for over a minute before it reports an unreachable registry or a wrong hash.
    .withEnvVariable("npm_config_fetch_retries", "3")
    .withEnvVariable("npm_config_fetch_retry_factor", "2")
    .withEnvVariable("npm_config_fetch_retry_mintimeout", "1000")
    .withEnvVariable("YARN_CACHE_FOLDER", `${CACHES}/yarn`);
  for (const tool of new Set(["npm", manager])) {
    result = result.withMountedCache(`${CACHES}/${tool}`, context.client.cacheVolume(`tgo-${tool}`));
  }
  if (npm !== undefined) {
    for (const variable of ["npm_config_registry", "YARN_REGISTRY", "pnpm_config_registry"]) {
      result = result.withEnvVariable(variable, npm);
    }
  }
  if (manager === "yarn") result = result.withNewFile(RUN_YARN, yarnScript);
  const { npmrc } = context.secrets;
  return npmrc === undefined ? result : result.withMountedSecret(NPMRC, npmrc);
}

/** The project's own scripts run without credentials. */
function withoutSecrets(context: BuildContext, container: Container): Container {
  return context.secrets.npmrc === undefined ? container : container.withoutMount(NPMRC);
}

/** Provides the requested version of the package manager: the image's own, or installed by npm. */
async function providePackageManager(
  request: BuildRequest<StaticWebBuild>,
  { name, version, hash }: PackageManager,
  container: Container,
): Promise<Container> {
  if (version === undefined) return container;
  const path = await container.envVariable("PATH");
  const script = "/run/tgo/install-package-manager.sh";
  const args = [PREFIX, name, version, ...(hash === undefined ? [] : [hash.algorithm, hash.hex])];
  try {
    return await container
      .withEnvVariable("PATH", `${PREFIX}/bin:${path === "" ? "/usr/local/bin:/usr/bin:/bin" : path}`)
      .withNewFile(script, managerScript)
      .withExec(["sh", script, ...args])
      .sync();
  } catch (error) {
    if (execFailure(error)?.exitCode === 65) {
      throw new TgoError(
        "BUILD",
        `the hash of ${name} ${version} from the registry differs from packageManager`,
        {
          where: `package.json of ${request.name}: ${hash?.algorithm}.${hash?.hex}; found ${execFailure(error)?.stderr.trim()}`,
          remedy: "Check the registry or mirror. If the hash in package.json is wrong, use the one found.",
          cause: error,
        },
      );
    }
    throw buildError(
      `downloading ${name} ${version} (packageManager in package.json)`,
      "Check that the version exists and that the npm registry is reachable (mirrors.npm in tgo.catalog.json, --ca-bundle FILE).",
      error,
    );
  }
}
