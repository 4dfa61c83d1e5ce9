import { parseDockerfile, quoteFlag, type Instruction, type NamedImage } from "@tgo/dockerfile";
import type { BuildContext } from "../build-context.js";
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
  /** Written in place of a --platform, so that no builder takes another one for $BUILDPLATFORM. */
  readonly platform: string;
}

/** Replaces images in a Dockerfile. Line numbers stay the same, because build messages refer to them. */
export function replaceImages(text: string, images: ReadonlyMap<NamedImage, Replacement>): string {
  const { escape } = parseDockerfile(text);
  const lines = text.split("\n");
  const changed = new Map<Instruction, { flags: readonly string[]; rest: string }>();
  for (const [{ image, at }, { address, platform }] of images) {
    const { flags, rest } = changed.get(at) ?? at;
    if (at.keyword === "FROM") {
      const own = flags.map((flag) => (flag.startsWith("--platform=") ? `--platform=${platform}` : flag));
      changed.set(at, { flags: own, rest: rest.split(/\s+/).with(0, address).join(" ") });
    } else {
      const renamed = flags.map((flag) =>
        flag.replaceAll(/(^--|[=,])(from=)([^,]+)/gi, (whole, before: string, key: string, name: string) =>
          name === image ? before + key + address : whole,
        ),
      );
      changed.set(at, { flags: renamed, rest });
    }
  }
  for (const [{ keyword, lines: at }, { flags, rest }] of changed) {
    lines.fill("", ...at);
    lines[at[0]] = [keyword, ...flags.map((flag) => quoteFlag(flag, escape)), rest].join(" ");
  }
  return lines.join("\n");
}
