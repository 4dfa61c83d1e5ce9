import type { Container, Directory } from "@dagger.io/dagger";
import type { Platform, PythonBuild } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import { withNormalizedMetadata } from "../container-tools/container-tools.js";
import { buildError } from "../build-error.js";
import { LAYER_TIME, type BuildRequest } from "../build-request.js";
import { activateEnvironment } from "./activate-environment.js";
import type { Environments } from "./install-environment.js";
import { downloadContainer } from "./tools-container.js";

/** A directory that a data command wrote, and its path in the image. */
export interface DataDirectory {
  readonly path: string;
  readonly of: (platform: Platform) => Directory;
}

type Entry = PythonBuild["data"][number];

/**
 * Runs the data commands natively, with the locked packages but without the source: the result depends only on the
 * lock and the command. A command runs once for all platforms, unless its entry has variables per platform.
 * @throws TgoError BUILD for a command that fails or writes nothing; CATALOG for a platform without variables
 */
export async function runDataCommands(
  request: BuildRequest<PythonBuild>,
  environments: Environments,
): Promise<DataDirectory[]> {
  const { context, service, platforms } = request;
  if (service.build.data.length === 0) return [];
  const installed = await installedPackages(context.native, environments);
  const entries = service.build.data.filter((entry) => appliesTo(entry, installed));
  if (entries.length === 0) return [];
  const base = await downloadContainer(request, context.native);
  const container = (await activateEnvironment(request, base, environments, context.native)).withWorkdir(
    "/work",
  );
  return Promise.all(
    entries.map(async (entry) => {
      const path = entry.output;
      if (entry.platforms === undefined) {
        const directory = await runCommand(request, container, entry);
        return { path, of: () => directory };
      }
      const variables = entry.platforms;
      const pairs = await Promise.all(
        platforms.map(async (platform) => {
          const own = variables[platform];
          if (own === undefined) throw missingVariables(request, entry, platform);
          const configured = Object.entries(own).reduce(
            (result, [variable, value]) => result.withEnvVariable(variable, value),
            container,
          );
          return [platform, await runCommand(request, configured, entry)] as const;
        }),
      );
      const byPlatform = new Map(pairs);
      return { path, of: (platform: Platform) => byPlatform.get(platform) ?? context.client.directory() };
    }),
  );
}

/** Normalized names of the installed packages, from their .dist-info directories. */
async function installedPackages(native: Platform, environments: Environments): Promise<Set<string>> {
  const pattern = "lib/python*/site-packages/*.dist-info/METADATA";
  const found = await Promise.all(
    [environments.common, environments.of(native)].map((directory) => directory.glob(pattern)),
  );
  return new Set(
    found.flat().map((path) => normalize(/([^/]+?)-[^/-]+\.dist-info\/METADATA$/.exec(path)?.[1] ?? "")),
  );
}

/** @see https://packaging.python.org/en/latest/specifications/name-normalization/ */
function normalize(name: string): string {
  return name.replace(/[-_.]+/g, "-").toLowerCase();
}

function appliesTo(entry: Entry, installed: ReadonlySet<string>): boolean {
  return entry.package === undefined || installed.has(normalize(entry.package));
}

async function runCommand(
  { context, name }: BuildRequest<PythonBuild>,
  container: Container,
  { command, output }: Entry,
): Promise<Directory> {
  const done = container.withExec([...command]);
  const remedy = `This is an entry in build.data of the service. It runs on ${context.native} with the locked packages, but without the source.`;
  try {
    await done.sync();
  } catch (error) {
    throw buildError(`the data command "${command.join(" ")}" of ${name}`, remedy, error);
  }
  const isThere = await done.exists(output);
  if (!isThere || (await done.directory(output).entries()).length === 0) {
    throw new TgoError(
      "BUILD",
      `"${command.join(" ")}" left ${output} of ${name} ${isThere ? "empty" : "missing"}`,
      {
        where: "build.data",
        remedy: `${remedy} It must write to that folder.`,
      },
    );
  }
  return withNormalizedMetadata(context, done.directory(output), LAYER_TIME);
}

function missingVariables(
  { name }: BuildRequest<PythonBuild>,
  { output, platforms = {} }: Entry,
  platform: Platform,
): TgoError {
  return new TgoError("CATALOG", `the data in ${output} of ${name} cannot be made for ${platform}`, {
    where: "build.data",
    remedy: `It has variables for ${Object.keys(platforms).join(", ") || "no platform"}: add those for ${platform}.`,
  });
}
