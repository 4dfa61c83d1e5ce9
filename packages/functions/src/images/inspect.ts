import { parsePlatform, platformOf } from "@tgo/image";
import { readImageTrees, renderInspect, type ImageSource } from "@tgo/inspection";
import { defined, type OutputFormat } from "@tgo/report";
import type { Call } from "../call.js";
import { openReferences, requireReferences, type NamedImage } from "../references.js";

/** Shows what any images are made of. Reads no layer, and needs no engine. */
export async function inspect(call: Call, texts: readonly string[], format: OutputFormat): Promise<string> {
  requireReferences("inspect", texts);
  const { images, clean } = await openReferences(call, texts);
  const platforms = (call.options.platform ?? []).map((text) => platformOf(parsePlatform(text)));
  return clean(renderInspect(await readImageTrees(images.map(sourceOf), platforms), format));
}

export function sourceOf({ reference, wanted, registry }: NamedImage): ImageSource {
  const { repository, digest } = reference;
  return defined({ registry, repository, wanted, digest });
}
