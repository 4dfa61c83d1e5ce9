import {
  fittingMachines,
  linkFindingText,
  misfitText,
  verifyImage,
  type ContentChecks,
  type ElfReport,
} from "@tgo/image";
import { defined } from "@tgo/report";
import type { ImageSource } from "./image-source.js";
import type { ContentsTree, ImageTree, KeptOut } from "./image-tree.js";

/**
 * Adds to an image's tree what its layers contain: reads every layer once, and each byte of it. What cannot be read is a
 * note.
 * @param machines whose loaders must take every file
 */
export async function withContents(
  tree: ImageTree,
  { registry, repository }: ImageSource,
  machines: NonNullable<ContentChecks["machines"]>,
): Promise<ImageTree> {
  const platforms = tree.platforms.map(({ platform }) => platform);
  if (platforms.length === 0) return tree;
  if (tree.kind !== "index")
    return { ...tree, notes: [...tree.notes, "its layers are not read: only those of an index are"] };
  const { variants, differences, targets } = await verifyImage({
    targets: [{ name: registry.host, registry, repository, reference: tree.digest }],
    ...{ platforms, machines, elf: true, presence: false, anyImage: true },
  });
  const reports = new Map(variants.map(({ digest, elf }) => [digest, elf]));
  const unread = targets.flatMap(({ problems }) => problems).filter(({ code }) => code !== "CHECK");
  return defined({
    ...tree,
    differences,
    platforms: tree.platforms.map((each) => {
      const report = reports.get(each.digest);
      const names = (machines[each.platform] ?? []).map(({ name }) => name);
      return report === undefined ? each : { ...each, contents: contentsTree(report, names) };
    }),
    notes: [...tree.notes, ...unread.map(({ what }) => what)],
  });
}

function contentsTree(report: ElfReport, machines: readonly string[]): ContentsTree {
  const { files, machines: elf, foreign, links } = report;
  const fits = fittingMachines(machines, report.misfits);
  return {
    files,
    elf,
    links: { roots: links.roots, libraries: links.libraries },
    problems: [
      ...foreign.map(({ path, machine }) => `${path} is for another machine: ${machine}`),
      ...links.failures.map(linkFindingText),
    ],
    fits,
    keptOut: machines.filter((name) => !fits.includes(name)).map((machine) => keptOut(machine, report)),
  };
}

function keptOut(machine: string, { misfits = [] }: ElfReport): KeptOut {
  const all = misfits.filter(({ machines, loaded }) => loaded && machines.includes(machine));
  const [first] = all;
  const more = all.length > 1 ? `; and ${all.length - 1} more` : "";
  return { machine, because: first === undefined ? "" : `${misfitText(first)}${more}` };
}
