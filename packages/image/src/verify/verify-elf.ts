import type { ElfReport } from "../elf/elf.js";
import type { CachedVariant } from "./image-cache.js";
import { mergeLayers, readLayer, type LayerReport } from "../layers.js";
import { foreseenProblem, type Problem } from "@tgo/errors";
import { inParallel } from "@tgo/registry";
import { where, type Inspection } from "./inspect.js";
import type { VerifyOptions } from "./verify-image.js";

const VARIANTS_AT_ONCE = 2;
const PATHS_SHOWN = 10;

/**
 * Reads the layers of the model's variants, each once, and checks every ELF file. One digest is one content, so
 * what is found holds for every registry that has it. @returns reports by the variants' digests.
 */
export async function checkElf(
  model: Inspection,
  sightings: readonly Inspection[],
  options: VerifyOptions,
): Promise<Map<string, ElfReport>> {
  const reports = new Map<string, ElfReport>();
  const layers = new Map<string, Promise<LayerReport>>();
  const holders = sightings.filter(({ digest }) => digest === model.digest);
  await inParallel(VARIANTS_AT_ONCE, model.variants, async (variant) => {
    try {
      const facts: LayerReport[] = [];
      for (const { mediaType, digest, urls } of variant.manifest.layers) {
        if (urls !== undefined) continue;
        const reading = layers.get(digest) ?? readLayer({ mediaType, open: () => openFrom(holders, digest) });
        layers.set(digest, reading);
        facts.push(await reading);
      }
      const report = mergeLayers(facts, variant.platform, { allow: options.allowForeign ?? [] });
      reports.set(variant.digest, report);
      if (report.foreign.length > 0)
        for (const holder of holders) holder.problems.push(foreign(variant, report, where(holder)));
    } catch (error) {
      for (const { problems } of holders) problems.push(foreseenProblem(error));
    }
  });
  return reports;
}

/** From the first registry that gives it. */
async function openFrom(holders: readonly Inspection[], digest: string): Promise<ReadableStream<Uint8Array>> {
  for (const { target } of holders.slice(0, -1)) {
    try {
      return await target.registry.blob(target.repository, digest);
    } catch (error) {
      foreseenProblem(error);
    }
  }
  const last = holders.at(-1)?.target;
  if (last === undefined) throw new Error("no registry holds the image");
  return last.registry.blob(last.repository, digest);
}

function foreign({ platform }: CachedVariant, { foreign: files }: ElfReport, at: string): Problem {
  const shown = files.slice(0, PATHS_SHOWN).map(({ path, machine }) => `${path} (${machine})`);
  const more = files.length > PATHS_SHOWN ? ` and ${files.length - PATHS_SHOWN} more` : "";
  return {
    code: "CHECK",
    what: `${platform} holds ${files.length} ${files.length === 1 ? "file" : "files"} for another machine: ${shown.join(", ")}${more}`,
    where: at,
    remedy:
      "Build that file for the platform, or leave it out. If it belongs there, allow its path in the service's definition.",
  };
}
