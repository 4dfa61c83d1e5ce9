import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { command } from "../command.js";
import type { Log } from "../log.js";
import { nativeAndForeign, type Architecture } from "./architecture.js";
import { customise, downloadNode, installNode } from "./customise.js";
import {
  SOURCE_DATE_EPOCH,
  bootstrap,
  completeForeign,
  downloadForeign,
  installPackages,
  installedPackages,
  type PackageSources,
} from "./debian.js";
import { writeImages, type BuiltVariant } from "./images.js";
import { createLayout, type Layer, type Layout } from "./oci-layout.js";
import { BASES, COMMON_PACKAGES, nameOf, type BaseRecipe } from "./recipe.js";
import { changedPaths, readTree, type Tree } from "./tree.js";

/**
 * Builds the stand-ins for both platforms into an OCI layout. First, everything is installed and configured for this
 * machine's architecture; then the other architecture's packages are unpacked and completed from there, so that
 * nothing is installed under emulation.
 * @param work an empty directory, large enough for the unpacked roots (about 2 GB)
 */
export async function buildBases(work: string, sources: PackageSources, log: Log): Promise<Layout> {
  const { native, foreign } = nativeAndForeign();
  const layout = await createLayout(join(work, "layout"));
  const npm = join(work, "npm");
  const rootOf = (name: string, { name: architecture }: Architecture): string =>
    join(work, architecture, name.replaceAll("/", "-"));
  const timed = stopwatch(log);

  const nodeArchives = downloadNode(npm, [native, foreign]);
  // Awaited below; until then, a rejection must not count as unhandled.
  nodeArchives.catch(() => undefined);
  for (const { name } of [native, foreign]) await mkdir(join(work, name));

  const nativeBase = rootOf("base", native);
  await timed(`built Debian root for linux/${native.name}`, () =>
    bootstrap(nativeBase, sources, COMMON_PACKAGES),
  );
  await nodeArchives;

  const nativeRoots = await Promise.all(
    BASES.map(async (recipe) => {
      const root = rootOf(recipe.repository, native);
      await timed(`installed packages of ${nameOf(recipe)} for linux/${native.name}`, async () => {
        await command("cp", ["-a", nativeBase, root]);
        await installPackages(root, recipe.packages);
      });
      return { recipe, root, packages: await installedPackages(root) };
    }),
  );

  const basePackages = await installedPackages(nativeBase);
  const wanted = new Set([...basePackages, ...nativeRoots.flatMap(({ packages }) => packages)]);
  const debs = await timed(`downloaded ${wanted.size} packages for linux/${foreign.name}`, () =>
    downloadForeign(nativeBase, foreign, [...wanted]),
  );
  const filesOf = (names: readonly string[]): string[] => names.flatMap((name) => debs.get(name) ?? []);

  const foreignBase = rootOf("base", foreign);
  await timed(`built Debian root for linux/${foreign.name}`, async () => {
    await mkdir(foreignBase);
    const pair = { root: foreignBase, foreign, nativeRoot: nativeBase, native };
    await completeForeign(pair, filesOf(basePackages));
  });
  await Promise.all(
    nativeRoots.map(async ({ recipe, root: nativeRoot, packages }) => {
      const root = rootOf(recipe.repository, foreign);
      await timed(`unpacked packages of ${nameOf(recipe)} for linux/${foreign.name}`, async () => {
        await command("cp", ["-a", foreignBase, root]);
        const added = packages.filter((name) => !basePackages.includes(name));
        if (added.length > 0) await completeForeign({ root, foreign, nativeRoot, native }, filesOf(added));
      });
    }),
  );

  const variants = await Promise.all(
    [native, foreign].map(async (architecture): Promise<BuiltVariant[]> => {
      const base = rootOf("base", architecture);
      const lower = readTree(base);
      const shared = await timed(`packed base layer for linux/${architecture.name}`, () =>
        layout.addLayer(base, [".", ...lower.keys()], SOURCE_DATE_EPOCH),
      );
      const built: BuiltVariant[] = [];
      for (const recipe of BASES) {
        const root = rootOf(recipe.repository, architecture);
        const layer = await timed(`built ${nameOf(recipe)} for linux/${architecture.name}`, async () => {
          if (recipe.npm) await installNode(root, architecture, npm);
          return packImage(layout, root, recipe, lower);
        });
        built.push({ recipe, architecture, layers: [shared, layer] });
      }
      return built;
    }),
  );
  await writeImages(layout, variants.flat());
  return layout;
}

async function packImage(layout: Layout, root: string, recipe: BaseRecipe, lower: Tree): Promise<Layer> {
  await customise(root, recipe);
  return layout.addLayer(root, changedPaths(lower, readTree(root)), SOURCE_DATE_EPOCH);
}

/** Logs each step with its duration when it is done. */
function stopwatch(log: Log): <T>(what: string, step: () => Promise<T>) => Promise<T> {
  return async (what, step) => {
    const start = performance.now();
    const result = await step();
    log(`${what} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
    return result;
  };
}
