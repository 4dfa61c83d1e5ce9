import type { Container, Directory } from "@dagger.io/dagger";
import type { StaticWebBuild } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import { baseImage, trusting } from "../../context.js";
import { messageOf } from "../../exec-error.js";
import { bare, epochSeconds } from "../../source.js";
import { stamped } from "../../tools/index.js";
import { buildError } from "../build-error.js";
import { configure } from "../configure.js";
import type { BuildRequest, Built } from "../request.js";

interface PackageManager {
  readonly lock: string;
  readonly cache: string;
  readonly install: readonly string[];
  readonly run: (script: string) => readonly string[];
  readonly registryVariable: string;
}

const MANAGERS: Record<"yarn" | "npm", PackageManager> = {
  yarn: {
    lock: "yarn.lock",
    cache: "/usr/local/share/.cache/yarn",
    install: ["yarn", "install", "--frozen-lockfile", "--non-interactive", "--no-progress"],
    run: (script) => ["yarn", "--silent", "run", script],
    registryVariable: "YARN_REGISTRY",
  },
  npm: {
    lock: "package-lock.json",
    cache: "/root/.npm",
    install: ["npm", "ci", "--no-audit", "--no-fund"],
    run: (script) => ["npm", "run", script],
    registryVariable: "npm_config_registry",
  },
};

/** Pages built once, natively, then copied beside nginx for each platform: nothing runs in a foreign image. */
export async function buildStaticWeb(request: BuildRequest<StaticWebBuild>): Promise<Built> {
  const { context, service, platforms } = request;
  const dist = await stamped(context, await buildPages(request), epochSeconds(request.source.modified));
  const variants = await Promise.all(
    platforms.map(async (platform) => {
      const base = await baseImage(context, service.build.base, platform);
      return { platform, container: await configure(request, base.withDirectory(service.build.root, dist)) };
    }),
  );
  return { variants, notes: [] };
}

async function buildPages(request: BuildRequest<StaticWebBuild>): Promise<Directory> {
  const { context, name, service, source, values } = request;
  const manager = await packageManager(request);
  const { npm } = context.catalog.mirrors;
  let builder: Container = trusting(context, await baseImage(context, service.build.builder, context.native))
    .withMountedCache(manager.cache, context.client.cacheVolume(`tgo-${manager.install[0] ?? ""}`))
    .withEnvVariable("CI", "true")
    .withWorkdir("/work");
  if (npm !== undefined) builder = builder.withEnvVariable(manager.registryVariable, npm);
  for (const file of ["package.json", manager.lock, ".npmrc", ".yarnrc"]) {
    if (source.entries.includes(file)) builder = builder.withFile(file, source.directory.file(file));
  }
  builder = builder.withExec([...manager.install]).withDirectory(".", source.directory);
  for (const [variable, value] of Object.entries(values)) builder = builder.withEnvVariable(variable, value);
  const output = builder.withExec([...manager.run(service.build.script)]).directory(service.build.output);
  try {
    return await output.sync();
  } catch (error) {
    throw buildError(
      `building the pages of ${name}`,
      `If the lock is out of date: update ${manager.lock} and commit it. If the registry cannot be reached: set ` +
        "mirrors.npm in tgo.catalog.json. Behind a company proxy: pass --ca-bundle FILE.",
      error,
    );
  }
}

/** `packageManager` in package.json decides; a lock file alone only where it says nothing. */
async function packageManager(request: BuildRequest<StaticWebBuild>): Promise<PackageManager> {
  const { name, source } = request;
  const present = new Set(source.entries.map(bare));
  const field = packageManagerField(name, await source.directory.file("package.json").contents());
  const named = field?.split("@")[0];
  const manager =
    named === undefined
      ? Object.values(MANAGERS).find(({ lock }) => present.has(lock))
      : named === "yarn" || named === "npm"
        ? MANAGERS[named]
        : undefined;
  if (manager === undefined) {
    throw new TgoError("SOURCE", `${name} has no lock file this product can install from`, {
      where: "package.json",
      remedy:
        `Commit one of ${Object.values(MANAGERS)
          .map(({ lock }) => lock)
          .join(", ")}` + (field === undefined ? "." : ` (packageManager says ${field}).`),
    });
  }
  if (present.has(manager.lock)) return manager;
  throw new TgoError("SOURCE", `${name} has no ${manager.lock}`, {
    remedy: `Run ${manager.install[0] ?? ""} install in the service's folder and commit ${manager.lock}.`,
  });
}

function packageManagerField(name: string, text: string): string | undefined {
  try {
    const manifest: unknown = JSON.parse(text);
    return typeof manifest === "object" && manifest !== null && "packageManager" in manifest
      ? String(manifest.packageManager)
      : undefined;
  } catch (cause) {
    throw new TgoError("SOURCE", `the package.json of ${name} is not valid JSON: ${messageOf(cause)}`, {
      remedy: "Mend the file.",
      cause,
    });
  }
}

/**
 * The build values of a service: given ones over defaults.
 * @throws TgoError USAGE naming a value the service does not declare, or one that is missing.
 */
export function buildValues(
  name: string,
  build: StaticWebBuild,
  given: ReadonlyMap<string, string>,
  fillIn: (template: string) => string,
): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [variable, { default: template }] of Object.entries(build.values)) {
    const value = given.get(variable) ?? (template === undefined ? undefined : fillIn(template));
    if (value === undefined) {
      throw new TgoError("USAGE", `${name} needs the build value ${variable}`, {
        remedy: `Add --value ${variable}=...`,
      });
    }
    values[variable] = value;
  }
  return values;
}
