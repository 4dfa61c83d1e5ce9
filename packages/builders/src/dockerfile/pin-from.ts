import type { BuildContext } from "../build-context.js";
import type { NamedImage } from "./parse-dockerfile.js";
import type { DockerfilePlan } from "./plan-dockerfile.js";

/** Pins the images of a Dockerfile (FROM, COPY --from, RUN --mount) to digests, on their mirrors if any are set. */
export async function pinImages(
  { bases }: Pick<BuildContext, "bases">,
  text: string,
  { images }: Pick<DockerfilePlan, "images">,
): Promise<string> {
  const replacements = await Promise.all(
    images.map(async ({ reference, platform, named }) => {
      const address = await bases.address(reference, platform);
      // Not every builder accepts a tag together with a digest.
      return [named, { address: address.replace(/:[\w.-]+@/, "@"), platform }] as const;
    }),
  );
  return replaceImages(text, new Map(replacements));
}

/** The image to write in place of a named one. */
export interface Replacement {
  readonly address: string;
  /** Written on every FROM if any stage has a --platform: some builders apply it to the following stages too. */
  readonly platform: string;
}

/** Replaces images in a Dockerfile. Line numbers stay the same, because build messages refer to them. */
export function replaceImages(text: string, images: ReadonlyMap<NamedImage, Replacement>): string {
  const lines = text.split("\n");
  const explicit = [...images.keys()].some(({ platform }) => platform !== undefined);
  for (const [{ image, at }, { address, platform }] of images) {
    const [start, end] = at.lines;
    if (at.keyword === "FROM") {
      const words = at.rest.split(/\s+/).filter((word) => !word.startsWith("--platform="));
      const first = words.findIndex((word) => !word.startsWith("--"));
      const flag = explicit ? [`--platform=${platform}`] : [];
      lines[start] = ["FROM", ...flag, ...words.with(first, address)].join(" ");
      lines.fill("", start + 1, end);
      continue;
    }
    for (let index = start; index < end; index++) {
      lines[index] = (lines[index] ?? "").replaceAll(/(?<=[\s,=]from=|--from=)[^\s,\\]+/g, (word) =>
        word === image ? address : word,
      );
    }
  }
  return lines.join("\n");
}
