import { parsePlatform, platformOf } from "@tgo/image";
import {
  readImageTrees,
  renderInspect,
  withContents,
  type ImageSource,
  type ImageTree,
} from "@tgo/inspection";
import { defined, type OutputFormat } from "@tgo/report";
import type { Call } from "../call.js";
import { machinesByPlatform } from "../machines.js";
import { openReferences, requireReferences, type NamedImage } from "../references.js";

export interface InspectFlags {
  /** Read every layer too: what the platforms differ in, and which promised machines take every file. */
  readonly contents: boolean;
}

/** Shows what any images are made of. Reads no layer unless asked to, and needs no engine. */
export async function inspect(
  call: Call,
  texts: readonly string[],
  { contents }: InspectFlags,
  format: OutputFormat,
): Promise<string> {
  requireReferences("inspect", texts);
  const { images, clean } = await openReferences(call, texts);
  const platforms = (call.options.platform ?? []).map((text) => platformOf(parsePlatform(text)));
  const sources = images.map(sourceOf);
  const trees = await readImageTrees(sources, platforms);
  if (!contents) return clean(renderInspect(trees, format));
  const machines = await machinesByPlatform(call);
  const whole: ImageTree[] = [];
  // One after the other: each is read as fast as this machine can.
  for (const [at, source] of sources.entries()) {
    const tree = trees[at];
    if (tree !== undefined) whole.push(await withContents(tree, source, machines));
  }
  return clean(renderInspect(whole, format));
}

export function sourceOf({ reference, wanted, registry }: NamedImage): ImageSource {
  const { repository, digest } = reference;
  return defined({ registry, repository, wanted, digest });
}
