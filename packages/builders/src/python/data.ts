import type { Container, Directory } from "@dagger.io/dagger";
import type { Platform, PythonBuild } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import { withNormalizedMetadata } from "../container-tools/container-tools.js";
import { buildError } from "../build-error.js";
import { LAYER_TIME, type BuildRequest } from "../build-request.js";
import { activateEnvironment } from "./activate.js";
import type { Environments } from "./environment.js";
import { downloading } from "./tools.js";

/** A folder of data, and where it belongs in the image. */
export interface Data {
  readonly path: string;
  readonly of: (platform: Platform) => Directory;
}

type Entry = PythonBuild["data"][number];

/**
 * Runs the data commands, natively and with the locked packages but without the source: the result depends on the lock
 * and the command alone. Once for all platforms, unless an entry has variables for each.
 * @throws TgoError BUILD naming a command that fails or leaves nothing; CATALOG for a platform without variables
 */
export async function makeData(
  request: BuildRequest<PythonBuild>,
  environments: Environments,
): Promise<Data[]> {
  const { context, service, platforms } = request;
  if (service.build.data.length === 0) return [];
  const installed = await installedPackages(context.native, environments);
  const entries = service.build.data.filter((entry) => isFor(entry, installed));
  if (entries.length === 0) return [];
  const base = await downloading(request, context.native);
  const container = (await activateEnvironment(request, base, environments, context.native)).withWorkdir(
    "/work",
  );
  return Promise.all(
    entries.map(async (entry) => {
      const path = entry.output;
      if (entry.platforms === undefined) {
        const directory = await made(request, container, entry);
        return { path, of: () => directory };
      }
      const variables = entry.platforms;
      const pairs = await Promise.all(
        platforms.map(async (platform) => {
          const own = variables[platform];
          if (own === undefined) throw lackingVariables(request, entry, platform);
          const told = Object.entries(own).reduce(
            (result, [variable, value]) => result.withEnvVariable(variable, value),
            container,
          );
          return [platform, await made(request, told, entry)] as const;
        }),
      );
      const byPlatform = new Map(pairs);
      return { path, of: (platform: Platform) => byPlatform.get(platform) ?? context.client.directory() };
    }),
  );
}

/** Names of the installed packages, as in their .dist-info folders but for case and punctuation. */
async function installedPackages(native: Platform, environments: Environments): Promise<Set<string>> {
  const pattern = "lib/python*/site-packages/*.dist-info/METADATA";
  const found = await Promise.all(
    [environments.common, environments.of(native)].map((directory) => directory.glob(pattern)),
  );
  return new Set(
    found.flat().map((path) => normal(/([^/]+?)-[^/-]+\.dist-info\/METADATA$/.exec(path)?.[1] ?? "")),
  );
}

/** @see https://packaging.python.org/en/latest/specifications/name-normalization/ */
function normal(name: string): string {
  return name.replace(/[-_.]+/g, "-").toLowerCase();
}

function isFor(entry: Entry, installed: ReadonlySet<string>): boolean {
  return entry.package === undefined || installed.has(normal(entry.package));
}

async function made(
  { context, name }: BuildRequest<PythonBuild>,
  container: Container,
  { command, output }: Entry,
): Promise<Directory> {
  const done = container.withExec([...command]);
  const remedy = `It is an entry of build.data of the service. It runs on ${context.native} with the locked packages, but without the source.`;
  try {
    await done.sync();
  } catch (error) {
    throw buildError(`making data for ${name} with "${command.join(" ")}"`, remedy, error);
  }
  const isThere = await done.exists(output);
  if (!isThere || (await done.directory(output).entries()).length === 0) {
    throw new TgoError(
      "BUILD",
      `"${command.join(" ")}" left ${output} of ${name} ${isThere ? "empty" : "missing"}`,
      {
        where: "build.data",
        remedy: `${remedy} Let it write to that folder.`,
      },
    );
  }
  return withNormalizedMetadata(context, done.directory(output), LAYER_TIME);
}

function lackingVariables(
  { name }: BuildRequest<PythonBuild>,
  { output, platforms = {} }: Entry,
  platform: Platform,
): TgoError {
  return new TgoError("CATALOG", `the data in ${output} of ${name} cannot be made for ${platform}`, {
    where: "build.data",
    remedy: `Its platforms are ${Object.keys(platforms).join(", ") || "none"}: add the variables for ${platform}.`,
  });
}
