import type { Directory, Platform as DaggerPlatform, Secret } from "@dagger.io/dagger";
import { BaseImage, type DockerfileBuild, type Platform } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import { formatReference, parseReference } from "@tgo/registry";
import { parseAssignments } from "./assignments.js";
import type { BuildContext } from "../build-context.js";
import { buildError } from "../build-error.js";
import { configureImage } from "../image-config/configure-image.js";
import {
  imagesOf,
  instructionsOf,
  neededStages,
  stagesOf,
  targetStage,
  withImages,
  type NamedImage,
  type Stage,
} from "./parse-dockerfile.js";
import type { BuildRequest, Built } from "../build-request.js";

/** What a Dockerfile is for one platform. */
export interface DockerfilePlan {
  readonly platform: Platform;
  /** Every image it names on the way to its target that can be told from its text, by its full name. */
  readonly images: readonly {
    readonly reference: BaseImage;
    readonly platform: Platform;
    readonly named: NamedImage;
  }[];
  /** What its FROM lines take from the build itself: those stay as they are. */
  readonly unknown: readonly string[];
  /** The image the target's file system starts with. */
  readonly base: BaseImage | undefined;
  /** RUN lines that another machine's programs are run by. */
  readonly emulated: number;
}

/**
 * @throws TgoError SOURCE when there is no such target
 */
export function planDockerfile(
  { name, build, native }: { name: string; build: DockerfileBuild; native: Platform },
  text: string,
  platform: Platform,
  values: Readonly<Record<string, string>>,
): DockerfilePlan {
  const stages = stagesOf(instructionsOf(text), {
    ...platformArguments(native),
    ...targetArguments(platform),
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
    const reference = fullName(image.image);
    return reference === undefined
      ? []
      : [{ reference, platform: platformOf(image.platform) ?? platform, named: image }];
  });
  const root = rootOf(stages, target);
  return {
    platform,
    images,
    unknown: needed.filter((stage) => stage.unknown).map(({ from }) => `FROM ${from.rest}`),
    base: root?.image === undefined ? undefined : fullName(root.image),
    emulated: needed
      .filter((stage) => (platformOf(stage.platform) ?? platform) !== native)
      .reduce((sum, stage) => sum + stage.runs, 0),
  };
}

function rootOf(stages: readonly Stage[], number: number): Stage | undefined {
  const stage = stages[number];
  return stage?.parent === undefined ? stage : rootOf(stages, stage.parent);
}

/** As the catalog names base images: with host and tag. */
function fullName(image: string): BaseImage | undefined {
  try {
    const reference = parseReference(image);
    const tagged =
      reference.tag === undefined && reference.digest === undefined
        ? { ...reference, tag: "latest" }
        : reference;
    return BaseImage.safeParse(formatReference(tagged)).data;
  } catch {
    // The build says what is wrong with it.
    return undefined;
  }
}

/** linux/arm64/v8 is the same machine. */
function platformOf(text: string | undefined): Platform | undefined {
  const found = /^linux\/(amd64|arm64)(?:\/|$)/.exec(text ?? "")?.[1];
  return found === undefined ? undefined : (`linux/${found}` as Platform);
}

/** The engine would take the target for the build's platform. */
function platformArguments(native: Platform): Record<string, string> {
  return { BUILDPLATFORM: native, BUILDOS: "linux", BUILDARCH: architecture(native), BUILDVARIANT: "" };
}

function targetArguments(platform: Platform): Record<string, string> {
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

/** @throws TgoError SOURCE */
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

/**
 * A service's own Dockerfile, as it is, but for where its images come from: from the mirrors, by their digests.
 */
export async function buildDockerfile(request: BuildRequest<DockerfileBuild>): Promise<Built> {
  const { context, name, service, source, platforms, values } = request;
  const { file, target } = service.build;
  const [text, secrets] = await Promise.all([
    readDockerfile(name, service.build, source.directory),
    buildSecrets(context, name, service.build),
  ]);
  const plans = platforms.map((platform) =>
    planDockerfile({ name, build: service.build, native: context.native }, text, platform, values),
  );
  const notes = plans.flatMap((plan) => emulationNote(plan, file));
  for (const { platform, note } of notes)
    context.progress.note({ step: "build", service: name, platform }, note);
  const variants = await Promise.all(
    plans.map(async (plan) => {
      const { platform } = plan;
      const container = withDockerfile(request, await withPinnedImages(context, text, plan)).dockerBuild({
        dockerfile: PINNED,
        platform: platform as string as DaggerPlatform,
        ...(target === undefined ? {} : { target }),
        // A list of its own each call: the SDK changes what it is given.
        secrets: [...secrets],
        buildArgs: Object.entries({ ...platformArguments(context.native), ...values }).map(
          ([key, value]) => ({
            name: key,
            value,
          }),
        ),
      });
      try {
        return { platform, container: await configureImage(request, await container.sync()) };
      } catch (error) {
        throw buildError(
          `building ${name} from ${file} for ${platform}`,
          plan.emulated > 0
            ? "Run the failing line by hand in the base image; for this platform it ran under emulation."
            : "Run the failing line by hand in the base image.",
          error,
        );
      }
    }),
  );
  return { variants, notes: notes.map(({ platform, note }) => `${platform}: ${note}`) };
}

function emulationNote(
  { platform, emulated }: DockerfilePlan,
  file: string,
): { platform: Platform; note: string }[] {
  if (emulated === 0) return [];
  const lines = emulated === 1 ? "1 RUN line" : `${emulated} RUN lines`;
  return [{ platform, note: `${lines} of ${file} under emulation, which is slow` }];
}

/** In a folder that nothing of the build copies: images hold the Dockerfile that the service has, if any. */
const FOLDER = ".tgo-dockerfile";
const PINNED = `${FOLDER}/Dockerfile`;

/** @see https://docs.docker.com/build/concepts/context/#filename-and-location */
function withDockerfile({ source }: Pick<BuildRequest, "source">, text: string): Directory {
  const ignored = [FOLDER, ...source.hidden].map((path) => `${path}\n`).join("");
  return source.directory.withNewFile(PINNED, text).withNewFile(`${PINNED}.dockerignore`, ignored);
}

async function withPinnedImages(context: BuildContext, text: string, plan: DockerfilePlan): Promise<string> {
  const addresses = await Promise.all(
    plan.images.map(async ({ reference, platform, named }) => {
      const address = await context.bases.address(reference, platform);
      // Not every builder takes a tag and a digest.
      return [named, { address: address.replace(/:[\w.-]+@/, "@"), platform }] as const;
    }),
  );
  return withImages(text, new Map(addresses));
}

/**
 * The secrets a service declares, with their values from the caller's file.
 * @throws TgoError USAGE naming those that are missing, never a value
 */
export async function buildSecrets(
  { client, secrets }: Pick<BuildContext, "client" | "secrets">,
  name: string,
  { secrets: declared }: DockerfileBuild,
): Promise<Secret[]> {
  if (declared.length === 0) return [];
  const text = secrets.build === undefined ? "" : await secrets.build.plaintext();
  const values = new Map(parseAssignments(text, "--build-secrets").map((each) => [each.name, each.value]));
  const missing = declared.filter((id) => !values.has(id));
  if (missing.length > 0) {
    throw new TgoError(
      "USAGE",
      `${name} needs the build secret${missing.length === 1 ? "" : "s"} ${missing.join(", ")}`,
      {
        remedy: `Put ${missing.map((id) => `${id}=value`).join(" and ")} into a file, and pass --build-secrets file:PATH.`,
      },
    );
  }
  return declared.map((id) => client.setSecret(id, values.get(id) ?? ""));
}
