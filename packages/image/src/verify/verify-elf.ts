import { detailsOf, foreseenProblem, isTgoError, TgoError, type Problem } from "@tgo/errors";
import { address, concurrencyLimit, inParallel, type Descriptor } from "@tgo/registry";
import { MAX_FOREIGN, type ElfReport } from "../elf/elf-scan.js";
import { linkFindingText, linkRemedy, type LinkReport } from "../link/link-report.js";
import { TreeBudget } from "../layers/layer-tree.js";
import { LAYERS_AT_ONCE, mergeLayers, readLayer, type LayerContent } from "../layers/read-layer.js";
import type { CachedVariant } from "./image-cache.js";
import { where, type Inspection } from "./verify-target.js";

const PATHS_SHOWN = 10;

/**
 * Reads the layers of the reference's variants, each once, compares them with the configs' diff_ids and checks every
 * ELF file. The same digest is the same content, so the result holds for every registry that has it.
 * @param allowed path patterns of files that may be for another machine
 * @returns reports by the variants' digests
 */
export async function verifyElf(
  reference: Inspection,
  inspections: readonly Inspection[],
  allowed: readonly string[] = [],
): Promise<Map<string, ElfReport>> {
  const reports = new Map<string, ElfReport>();
  const layers = new Map<string, Promise<LayerContent>>();
  const same = inspections.filter(({ digest }) => digest === reference.digest);
  const budget = new TreeBudget();
  const limited = concurrencyLimit(LAYERS_AT_ONCE);
  const read = (layer: Descriptor): Promise<LayerContent> => {
    const { mediaType, digest } = layer;
    const key = `${mediaType} ${digest}`;
    const source = { mediaType, open: () => openFrom(same, layer) };
    const reading = layers.get(key) ?? limited(() => readLayer(source, budget));
    layers.set(key, reading);
    return reading.catch((error: unknown) => {
      if (!isTgoError(error) || error.where !== undefined) throw error;
      const { registry, repository } = reference.target;
      throw new TgoError(error.code, error.what, {
        ...detailsOf(error),
        where: address(registry, repository, digest),
      });
    });
  };
  await inParallel(LAYERS_AT_ONCE, reference.variants, async (variant) => {
    try {
      const contents = await inParallel(LAYERS_AT_ONCE, variant.manifest.layers, read);
      for (const [at, layer] of variant.manifest.layers.entries()) {
        const listed = variant.config.rootfs.diff_ids[at];
        const found = contents[at]?.diffId;
        if (listed === undefined || listed === found) continue;
        for (const inspection of same)
          inspection.problems.push({
            kind: "wrong image",
            check: "diff_ids",
            code: "VERIFY",
            what: `${variant.platform}: the layer ${layer.digest} unpacks to ${found}, but its diff_id in the config is ${listed}`,
            where: where(inspection),
            remedy: "Build and publish it again.",
          });
      }
      const report = mergeLayers(contents, variant.platform, {
        allow: allowed,
        libraryPath: libraryPathOf(variant),
      });
      reports.set(variant.digest, report);
      if (report.foreign.length > 0)
        for (const inspection of same)
          inspection.problems.push({
            ...foreignFiles(variant, report, where(inspection)),
            check: "ELF machines",
          });
      if (report.links.failures.length > 0)
        for (const inspection of same)
          inspection.problems.push({
            ...missingLibraries(variant, report.links, where(inspection)),
            check: "link proof",
          });
    } catch (error) {
      for (const { problems } of same) problems.push({ ...foreseenProblem(error), check: "layers" });
    }
  });
  return reports;
}

function libraryPathOf({ config }: CachedVariant): string {
  const name = "LD_LIBRARY_PATH=";
  return config.config?.Env?.find((variable) => variable.startsWith(name))?.slice(name.length) ?? "";
}

/** From the first registry that delivers it. */
async function openFrom(
  inspections: readonly Inspection[],
  layer: Descriptor,
): Promise<ReadableStream<Uint8Array>> {
  for (const { target } of inspections.slice(0, -1)) {
    try {
      return await target.registry.blob(target.repository, layer);
    } catch (error) {
      // Throws what is not this registry's failure.
      foreseenProblem(error);
    }
  }
  const last = inspections.at(-1)?.target;
  if (last === undefined) throw new TgoError("INTERNAL", "no registry has the image");
  return last.registry.blob(last.repository, layer);
}

function foreignFiles({ platform }: CachedVariant, { foreign: files }: ElfReport, location: string): Problem {
  const shown = files.slice(0, PATHS_SHOWN).map(({ path, machine }) => `${path} (${machine})`);
  const more = files.length > PATHS_SHOWN ? ` and ${files.length - PATHS_SHOWN} more` : "";
  return {
    code: "CHECK",
    what: `${platform} contains ${files.length === MAX_FOREIGN ? "at least " : ""}${files.length} ${files.length === 1 ? "file" : "files"} for another machine: ${shown.join(", ")}${more}`,
    where: location,
    remedy:
      "Build the file for the platform, or leave it out. If it belongs there, allow its path in the service's definition.",
  };
}

function missingLibraries({ platform }: CachedVariant, { failures }: LinkReport, location: string): Problem {
  const shown = failures.slice(0, PATHS_SHOWN).map(linkFindingText);
  const more = failures.length > PATHS_SHOWN ? `; and ${failures.length - PATHS_SHOWN} more` : "";
  return {
    code: "CHECK",
    what: `${platform} has programs or modules that cannot be loaded: ${shown.join("; ")}${more}`,
    where: location,
    remedy: linkRemedy(failures),
  };
}
