import type { Container } from "@dagger.io/dagger";
import type { StaticWebBuild } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import { baseImage, withCaBundle, type BuildContext } from "../build-context.js";
import { execFailure } from "../exec-failure.js";
import { bare } from "../source/load-source.js";
import { buildError } from "../build-error.js";
import type { BuildRequest } from "../build-request.js";
import { installFailure } from "./install-failure.js";
import { throughMirror } from "./lock-hosts.js";
import managerScript from "./manager.sh";
import { hasLocalDependency, installManifest } from "./manifest.js";
import { requireNode } from "./node-version.js";
import type { ManagerName, PackageManager } from "./package-manager.js";
import type { Project } from "./project.js";

/** Where the project lies in the builder; as in most Dockerfiles, because tools may write the path down. */
export const PROJECT = "/app";

const PREFIX = "/opt/tgo";
const CACHES = "/var/cache/tgo";
const NPMRC = "/root/.npmrc";

const INSTALL: Record<ManagerName, readonly string[]> = {
  // Its cache is not made for two at a time: the second waits.
  yarn: [
    ...["yarn", "install", "--frozen-lockfile", "--non-interactive", "--no-progress"],
    ...["--network-timeout", "300000", "--mutex", `file:${CACHES}/yarn/.mutex`],
  ],
  npm: ["npm", "ci", "--no-audit", "--no-fund"],
  pnpm: ["pnpm", "install", "--frozen-lockfile", "--store-dir", `${CACHES}/pnpm`],
};

/** Files beside package.json and the lock that decide what is installed, and how. */
const SETTINGS = [".npmrc", ".yarnrc", "pnpm-workspace.yaml", ".pnpmfile.cjs"];
const SETTINGS_FOLDERS: Record<ManagerName, readonly string[]> = {
  // A yarn the project has committed, and archives of packages.
  yarn: [".yarn"],
  npm: [],
  pnpm: ["patches"],
};

/**
 * The builder with the locked packages installed. It depends on package.json (but its version and scripts), the lock
 * and settings alone: an edit to the source installs nothing.
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
    requireNode(name, manifest.engines.node, version, service.build.builder);
  }
  const withManager = await provide(request, manager, configured(context, node, manager.name));
  let builder = withManager.withWorkdir(PROJECT);
  const present = new Set(source.entries.map(bare));
  if (hasLocalDependency(manifest)) builder = builder.withDirectory(".", source.directory);
  for (const file of SETTINGS.filter((file) => present.has(file))) {
    builder = builder.withFile(file, source.directory.file(file));
  }
  for (const folder of SETTINGS_FOLDERS[manager.name].filter((folder) => present.has(folder))) {
    builder = builder.withDirectory(folder, source.directory.directory(folder));
  }
  const installed = builder
    .withNewFile("package.json", installManifest(manifest))
    .withNewFile(manager.lock, throughMirror(project.lock, context.catalog.mirrors.npm))
    .withExec([...INSTALL[manager.name]]);
  try {
    return withoutSecrets(context, await installed.sync());
  } catch (error) {
    throw installFailure(name, project, error);
  }
}

/** Caches, registry and credentials of all managers: npm also fetches the others. */
function configured(context: BuildContext, container: Container, manager: ManagerName): Container {
  const { npm } = context.catalog.mirrors;
  let result = container
    .withEnvVariable("CI", "true")
    .withEnvVariable("NO_COLOR", "1")
    .withEnvVariable("npm_config_cache", `${CACHES}/npm`)
    .withEnvVariable("npm_config_update_notifier", "false")
    // By default npm waits over a minute before it says that a registry is down, or a hash another one.
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
  const { npmrc } = context.secrets;
  return npmrc === undefined ? result : result.withMountedSecret(NPMRC, npmrc);
}

/** Scripts of the project run without credentials. */
function withoutSecrets(context: BuildContext, container: Container): Container {
  return context.secrets.npmrc === undefined ? container : container.withoutMount(NPMRC);
}

/** The manager in the version that is asked for: the image's own, or fetched by npm. */
async function provide(
  request: BuildRequest<StaticWebBuild>,
  { name, version, hash }: PackageManager,
  container: Container,
): Promise<Container> {
  if (version === undefined) return container;
  const path = await container.envVariable("PATH");
  const script = "/run/tgo/manager.sh";
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
        `${name} ${version} from the registry has another hash than packageManager says`,
        {
          where: `package.json of ${request.name}: ${hash?.algorithm}.${hash?.hex}; found ${execFailure(error)?.stderr.trim()}`,
          remedy: "Check the registry or mirror; if the hash in package.json is wrong, write the one found.",
          cause: error,
        },
      );
    }
    throw buildError(
      `fetching ${name} ${version}, which package.json names,`,
      "Check that the version exists, and that the npm registry can be reached (mirrors.npm in tgo.catalog.json, --ca-bundle FILE).",
      error,
    );
  }
}
