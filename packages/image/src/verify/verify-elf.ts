import { foreseenProblem, TgoError, type Problem } from "@tgo/errors";
import { inParallel } from "@tgo/registry";
import type { ElfReport } from "../elf/elf-scan.js";
import { mergeLayers, readLayer, type LayerReport } from "../layers.js";
import type { CachedVariant } from "./image-cache.js";
import { where, type Inspection } from "./verify-target.js";

const VARIANTS_AT_ONCE = 2;
const PATHS_SHOWN = 10;

/**
 * Reads the layers of the reference's variants, each once, and checks every ELF file. The same digest is the same
 * content, so the result holds for every registry that has it.
 * @param allowed path patterns of files that may be for another machine
 * @returns reports by the variants' digests
 */
export async function verifyElf(
  reference: Inspection,
  inspections: readonly Inspection[],
  allowed: readonly string[] = [],
): Promise<Map<string, ElfReport>> {
  const reports = new Map<string, ElfReport>();
  const layers = new Map<string, Promise<LayerReport>>();
  const same = inspections.filter(({ digest }) => digest === reference.digest);
  await inParallel(VARIANTS_AT_ONCE, reference.variants, async (variant) => {
    try {
      const read: LayerReport[] = [];
      for (const { mediaType, digest, urls } of variant.manifest.layers) {
        if (urls !== undefined) continue;
        const reading = layers.get(digest) ?? readLayer({ mediaType, open: () => openFrom(same, digest) });
        layers.set(digest, reading);
        read.push(await reading);
      }
      const report = mergeLayers(read, variant.platform, { allow: allowed });
      reports.set(variant.digest, report);
      if (report.foreign.length > 0)
        for (const inspection of same)
          inspection.problems.push(foreignFiles(variant, report, where(inspection)));
    } catch (error) {
      for (const { problems } of same) problems.push(foreseenProblem(error));
    }
  });
  return reports;
}

/** From the first registry that delivers it. */
async function openFrom(
  inspections: readonly Inspection[],
  digest: string,
): Promise<ReadableStream<Uint8Array>> {
  for (const { target } of inspections.slice(0, -1)) {
    try {
      return await target.registry.blob(target.repository, digest);
    } catch (error) {
      // Throws what is not this registry's failure.
      foreseenProblem(error);
    }
  }
  const last = inspections.at(-1)?.target;
  if (last === undefined) throw new TgoError("INTERNAL", "no registry has the image");
  return last.registry.blob(last.repository, digest);
}

function foreignFiles({ platform }: CachedVariant, { foreign: files }: ElfReport, location: string): Problem {
  const shown = files.slice(0, PATHS_SHOWN).map(({ path, machine }) => `${path} (${machine})`);
  const more = files.length > PATHS_SHOWN ? ` and ${files.length - PATHS_SHOWN} more` : "";
  return {
    code: "CHECK",
    what: `${platform} contains ${files.length} ${files.length === 1 ? "file" : "files"} for another machine: ${shown.join(", ")}${more}`,
    where: location,
    remedy:
      "Build the file for the platform, or leave it out. If it belongs there, allow its path in the service's definition.",
  };
}
