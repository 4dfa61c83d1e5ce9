import type { Container } from "@dagger.io/dagger";
import type { StaticWebBuild } from "@tgo/catalog";
import { baseImage } from "../build-context.js";
import { epochSeconds } from "../source/load-source.js";
import { listPackages, withNormalizedMetadata } from "../container-tools/container-tools.js";
import { configureImage } from "../image-config/configure-image.js";
import type { BuildRequest, Built } from "../build-request.js";
import { installPackages, PROJECT } from "./install.js";
import { buildPages } from "./pages.js";
import { readProject, type Project } from "./project.js";
import { siteFiles, withFiles } from "./site.js";
import { unlocked } from "./yarn-lock.js";

export { buildValues } from "./values.js";

/** Pages built once, natively, then copied beside nginx for each platform: nothing runs in a foreign image. */
export async function buildStaticWeb(request: BuildRequest<StaticWebBuild>): Promise<Built> {
  const { context, service, platforms, source } = request;
  const [project, site] = await Promise.all([readProject(request), siteFiles(request)]);
  const builder = await installPackages(request, project);
  const [pages, notes] = await Promise.all([
    buildPages(request, project, builder).then((built) =>
      withNormalizedMetadata(context, built, epochSeconds(source.modified)),
    ),
    unlockedNotes(request, project, builder),
  ]);
  const variants = await Promise.all(
    platforms.map(async (platform) => {
      const base = withFiles(request, await baseImage(context, service.build.base, platform), site);
      const container = base.withDirectory(service.build.root, pages);
      return { platform, container: await configureImage(request, container) };
    }),
  );
  return { variants, notes };
}

/** What yarn 1 installed without an entry in the lock: packages for this platform that a lock made on another lacks. */
async function unlockedNotes(
  { context, name }: BuildRequest,
  { locked }: Project,
  builder: Container,
): Promise<string[]> {
  const modules = `${PROJECT}/node_modules`;
  if (locked === undefined || !(await builder.exists(modules))) return [];
  const packages = unlocked(await listPackages(context, builder.directory(modules)), locked);
  if (packages.length === 0) return [];
  return [
    `yarn.lock of ${name} has no entry, and so no hash, for ${packages.join(", ")}: fetched as the registry has them. ` +
      "Run yarn install on Linux and commit yarn.lock.",
  ];
}
