import { detailsOf, foreseenProblem, isTgoError, TgoError, type Problem } from "@tgo/errors";
import { address, concurrencyLimit, inParallel, TransferMeter, type Descriptor } from "@tgo/registry";
import { MAX_FOREIGN, type ElfReport } from "../elf/elf-scan.js";
import { linkFindingText, linkRemedy, type LinkReport } from "../link/link-report.js";
import { TreeBudget } from "../layers/layer-tree.js";
import {
  contentsOf,
  LAYERS_AT_ONCE,
  readLayer,
  scanTree,
  stackLayers,
  type LayerContent,
} from "../layers/read-layer.js";
import { misfitRemedy, misfitText, type Misfit } from "../machines/machine-scan.js";
import { compareContents, type VariantContents } from "../parity/compare-contents.js";
import type { CachedVariant } from "./image-cache.js";
import type { ContentChecks, InspectOptions } from "./verify-options.js";
import { where, type Inspection } from "./verify-target.js";

const PATHS_SHOWN = 10;

type ContentOptions = ContentChecks & Pick<InspectOptions, "anyImage">;

/** What the layers of an image contain. */
export interface CheckedContent {
  /** By the variants' digests. */
  readonly reports: ReadonlyMap<string, ElfReport>;
  /** What only some variants contain, one line each; undefined where not all could be read. */
  readonly differences: readonly string[] | undefined;
}

/**
 * Reads the layers of the reference's variants, each once, compares them with the configs' diff_ids and checks every
 * ELF file. The same digest is the same content, so the result holds for every registry that has it.
 */
export async function verifyElf(
  reference: Inspection,
  inspections: readonly Inspection[],
  { allowForeign = [], allowDifferences = [], machines = {}, anyImage = false, onBytes }: ContentOptions,
): Promise<CheckedContent> {
  const reports = new Map<string, ElfReport>();
  const compared: VariantContents[] = [];
  const layers = new Map<string, Promise<LayerContent>>();
  const same = inspections.filter(({ digest }) => digest === reference.digest);
  const budget = new TreeBudget();
  const limited = concurrencyLimit(LAYERS_AT_ONCE);
  const all = reference.variants.flatMap(({ manifest }) => manifest.layers);
  const meter = onBytes === undefined ? undefined : new TransferMeter(all, onBytes);
  const open = async (layer: Descriptor): Promise<ReadableStream<Uint8Array>> => {
    const stream = await openFrom(same, layer);
    return meter?.countStream(layer.digest, stream) ?? stream;
  };
  const read = (layer: Descriptor): Promise<LayerContent> => {
    const { mediaType, digest } = layer;
    const key = `${mediaType} ${digest}`;
    const source = { mediaType, open: () => open(layer) };
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
      const root = stackLayers(contents);
      if (reference.variants.length > 1) compared.push(contentsOf(root, variant.platform));
      const report = scanTree(root, variant.platform, {
        allow: allowForeign,
        libraryPath: libraryPathOf(variant),
        machines: machines[variant.platform] ?? [],
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
      const loaded = (report.misfits ?? []).filter((misfit) => misfit.loaded);
      for (const inspection of loaded.length > 0 ? same : []) {
        const check = "promised machines";
        const problem = unloadable(variant, loaded, where(inspection));
        // Whoever built another image has promised nothing.
        if (anyImage) inspection.notes.push({ check, text: problem.what });
        else inspection.problems.push({ ...problem, check });
      }
    } catch (error) {
      for (const { problems } of same) problems.push({ ...foreseenProblem(error), check: "layers" });
    }
  });
  const isWhole = compared.length === reference.variants.length || reference.variants.length < 2;
  const order = reference.variants.map(({ platform }) => platform);
  compared.sort((a, b) => order.indexOf(a.platform) - order.indexOf(b.platform));
  return { reports, differences: isWhole ? compareContents(compared, allowDifferences) : undefined };
}

function unloadable({ platform }: CachedVariant, misfits: readonly Misfit[], location: string): Problem {
  const shown = misfits.slice(0, PATHS_SHOWN).map(misfitText).join("; ");
  const more = misfits.length > PATHS_SHOWN ? `; and ${misfits.length - PATHS_SHOWN} more` : "";
  const names = [...new Set(misfits.flatMap(({ machines }) => machines))].join(", ");
  return {
    code: "CHECK",
    what: `${platform} contains ${misfits.length === 1 ? "a file" : `${misfits.length} files`} that cannot be loaded on ${names}: ${shown}${more}`,
    where: location,
    remedy: `${misfitRemedy(misfits)} Machines that are not needed can be left out of machines in tgo.catalog.json.`,
  };
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
