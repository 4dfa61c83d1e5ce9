import type { Directory } from "@dagger.io/dagger";
import { BaseImage, type DockerfileBuild, type Platform } from "@tgo/catalog";
import {
  imagesOf,
  neededStages,
  parseDockerfile,
  parseStages,
  targetStage,
  type Instruction,
  type NamedImage,
  type Stage,
} from "@tgo/dockerfile";
import { TgoError } from "@tgo/errors";
import { formatReference, parseReference } from "@tgo/registry";
import { outputOf } from "@tgo/schemas";

/** What the build of a Dockerfile involves for one platform. */
export interface DockerfilePlan {
  readonly platform: Platform;
  /** The images that the target's stages name, with their full references. */
  readonly images: readonly {
    readonly reference: BaseImage;
    readonly platform: Platform;
    readonly named: NamedImage;
  }[];
  /** FROM lines whose image only the build itself can determine; they are left as they are. */
  readonly unknown: readonly string[];
  /** The image that the target's file system starts from. */
  readonly base: BaseImage | undefined;
  /** The number of RUN instructions that run under emulation. */
  readonly emulated: number;
}

/**
 * Determines the images and stages that a target needs for one platform.
 * @throws TgoError SOURCE if the Dockerfile has no such target
 */
export function planDockerfile(
  { name, build, native }: { name: string; build: DockerfileBuild; native: Platform },
  text: string,
  platform: Platform,
  values: Readonly<Record<string, string>>,
): DockerfilePlan {
  const stages = parseStages(parseDockerfile(text), {
    ...buildPlatformArguments(native),
    ...targetPlatformArguments(platform),
    ...values,
  });
  const target = targetStage(stages, build.target);
  if (target === undefined) {
    const named = stages.flatMap((stage) => stage.name ?? []);
    throw new TgoError(
      "SOURCE",
      build.target === undefined
        ? `${build.file} of ${name} has no FROM`
        : `${build.file} of ${name} has no stage "${build.target}"`,
      { remedy: `Its named stages: ${named.join(", ") || "none"}. Set build.target in the catalog.` },
    );
  }
  const needed = neededStages(stages, target).flatMap((number) => stages[number] ?? []);
  const images = imagesOf(needed).flatMap((image) => {
    const reference = fullReference(image.image);
    return reference === undefined
      ? []
      : [{ reference, platform: platformOf(image.platform) ?? platform, named: image }];
  });
  const root = rootStage(stages, target);
  return {
    platform,
    images,
    unknown: needed.filter((stage) => stage.unknown).map(({ from }) => `FROM ${from.rest}`),
    base: root?.image === undefined ? undefined : fullReference(root.image),
    emulated: needed
      .filter((stage) => (platformOf(stage.platform) ?? platform) !== native)
      .reduce((sum, { instructions }) => sum + instructions.filter(isRun).length, 0),
  };
}

function isRun({ keyword }: Instruction): boolean {
  return keyword === "RUN";
}

/** The stage that the target's file system starts from. */
function rootStage(stages: readonly Stage[], number: number): Stage | undefined {
  const stage = stages[number];
  return stage?.parent === undefined ? stage : rootStage(stages, stage.parent);
}

/** A reference with host and tag, as the catalog writes base images. */
function fullReference(image: string): BaseImage | undefined {
  try {
    const reference = parseReference(image);
    const tagged =
      reference.tag === undefined && reference.digest === undefined
        ? { ...reference, tag: "latest" }
        : reference;
    return outputOf(BaseImage, formatReference(tagged));
  } catch {
    // The build reports the invalid reference.
    return undefined;
  }
}

/** The catalog's platform; a variant such as linux/arm64/v8 is ignored. */
function platformOf(text: string | undefined): Platform | undefined {
  const found = /^linux\/(amd64|arm64)(?:\/|$)/.exec(text ?? "")?.[1];
  return found === undefined ? undefined : (`linux/${found}` as Platform);
}

/** Arguments for the build platform. Passed explicitly, because the engine would use the target's values. */
export function buildPlatformArguments(native: Platform): Record<string, string> {
  return { BUILDPLATFORM: native, BUILDOS: "linux", BUILDARCH: architecture(native), BUILDVARIANT: "" };
}

function targetPlatformArguments(platform: Platform): Record<string, string> {
  return {
    TARGETPLATFORM: platform,
    TARGETOS: "linux",
    TARGETARCH: architecture(platform),
    TARGETVARIANT: "",
  };
}

function architecture(platform: Platform): string {
  return platform.slice(platform.indexOf("/") + 1);
}

/**
 * The text of a service's Dockerfile.
 * @throws TgoError SOURCE if it is missing
 */
export async function readDockerfile(
  name: string,
  { file }: DockerfileBuild,
  source: Directory,
): Promise<string> {
  return source
    .file(file)
    .contents()
    .catch((cause: unknown) => {
      throw new TgoError("SOURCE", `the source of ${name} has no ${file}`, {
        remedy: "Set build.file in the catalog to the Dockerfile's path in the source.",
        cause,
      });
    });
}
