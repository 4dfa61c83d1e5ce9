import type { Container } from "@dagger.io/dagger";
import type { StaticWebBuild } from "@tgo/catalog";
import { baseImage } from "../build-context.js";
import { epochSeconds } from "../source/times.js";
import { listPackages, withNormalizedMetadata } from "../container-tools/container-tools.js";
import { configureImage } from "../image-config/configure-image.js";
import { builtPlatforms, type BuildRequest, type Built } from "../build-request.js";
import { buildPages } from "./build-pages.js";
import { installPackages, PROJECT } from "./install-packages.js";
import { npmUnhashed } from "./npm-lock.js";
import { nginxFiles, withFiles } from "./nginx-files.js";
import { readProject, type Project } from "./read-project.js";
import { unlockedPackages } from "./yarn-lock.js";

/** Builds the pages once, natively, and adds them to nginx for each platform. Nothing runs in a foreign image. */
export async function buildStaticWeb(request: BuildRequest<StaticWebBuild>): Promise<Built> {
  const { context, service, source } = request;
  const [project, configuration] = await Promise.all([readProject(request), nginxFiles(request)]);
  const builder = await installPackages(request, project);
  const [pages, notes] = await Promise.all([
    buildPages(request, project, builder).then((built) =>
      withNormalizedMetadata(context, built, epochSeconds(source.modified)),
    ),
    unlockedNotes(request, project, builder),
  ]);
  const variants = await Promise.all(
    builtPlatforms(request).map(async (platform) => {
      const base = withFiles(request, await baseImage(context, service.build.base, platform), configuration);
      const container = base.withDirectory(service.build.root, pages);
      return { platform, container: await configureImage(request, container) };
    }),
  );
  return { variants, notes };
}

/**
 * Packages that were installed without a hash check: by yarn 1 those without an entry in the lock, because it was written
 * on another platform, and by npm those whose entry has none.
 */
async function unlockedNotes(
  { context, name }: BuildRequest,
  { locked, manager, lock }: Project,
  builder: Container,
): Promise<string[]> {
  const note = (lacks: string, packages: readonly string[], remedy: string): string[] =>
    packages.length === 0
      ? []
      : [
          `${manager.lock} of ${name} has no ${lacks} for ${packages.join(", ")}, so they were installed without a hash check. ` +
            `${remedy} and commit ${manager.lock}.`,
        ];
  if (manager.name === "npm")
    return note("hash", npmUnhashed(lock), "Delete these entries, run npm install without node_modules");
  const modules = `${PROJECT}/node_modules`;
  if (locked === undefined || !(await builder.exists(modules))) return [];
  const installed = await listPackages(context, builder.directory(modules));
  return note("entry", unlockedPackages(installed, locked), "Run yarn install on Linux");
}
