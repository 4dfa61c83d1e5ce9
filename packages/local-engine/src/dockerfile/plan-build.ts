import {
  globalArguments,
  neededStages,
  parseDockerfile,
  parseStages,
  targetStage,
  type Dockerfile,
  type Instruction,
  type Stage,
} from "@tgo/dockerfile";
import { TgoError } from "@tgo/errors";
import { emulationProblem, hostPlatform } from "../emulation.js";
import type { Pulled } from "../images/images.js";
import type { Platform } from "../images/image.js";
import { checkDirectives, checkInstruction } from "./check-features.js";
import { evaluateStage, SCRATCH, type DockerConfig, type StageState, type Step } from "./image-builder.js";
import { invalid, placeIn, unsupported, type Place } from "./refuse.js";

export interface BuildRequest {
  readonly text: string;
  /** The Dockerfile's name, for messages. */
  readonly file: string;
  readonly platform: Platform;
  readonly buildArgs: Readonly<Record<string, string>>;
  /** The name of a stage; empty for the last one. */
  readonly target: string;
  readonly pull: (image: string, platform: Platform) => Promise<Pulled>;
  /** Arguments that commands see without ARG, and that are in no image. */
  readonly isHidden: (name: string) => boolean;
}

/** A stage that the target needs, with all words expanded and all images resolved. */
export interface PlannedStage extends StageState {
  readonly platform: Platform;
  readonly steps: readonly Step[];
  /** The number of the stage it starts from. */
  readonly parent: number | undefined;
  /** The image it starts from. */
  readonly image: Pulled | undefined;
  /** What its instructions copy from or mount, by the name as written: the number of a stage, or an image. */
  readonly source: (at: Instruction, name: string) => number | Pulled | undefined;
}

export interface BuildPlan {
  readonly stages: ReadonlyMap<number, PlannedStage>;
  readonly target: number;
}

/**
 * Reads a Dockerfile and decides everything that its build does. Only what is named here is ever pulled.
 * @throws TgoError SOURCE for a line that BuildKit would not build, or not as this engine would; from the registry client
 */
export async function planBuild(request: BuildRequest): Promise<BuildPlan> {
  const { text, file, platform, pull } = request;
  const place = placeIn(file);
  const dockerfile = parseDockerfile(text);
  checkDirectives(dockerfile, text, file);
  const args = { ...platformArguments(platform), ...request.buildArgs };
  const stages = parseStages(dockerfile, args);
  const target = targetStage(stages, request.target === "" ? undefined : request.target);
  if (target === undefined) {
    throw new TgoError("SOURCE", `${file} has no stage ${request.target || "at all: FROM is missing"}`, {
      remedy: `its named stages: ${stages.flatMap(({ name }) => name ?? []).join(", ") || "none"}`,
    });
  }
  const needed = neededStages(stages, target).map((number) => [number, stages[number]] as const);
  for (const [number, stage] of needed) if (stage) checkStage(stage, number, { place, platform });

  const globals = globalArguments(dockerfile, args);
  if (!globals.has("TARGETSTAGE"))
    globals.set("TARGETSTAGE", request.target || stages[target]?.name || "default");
  const setting = {
    ...{ place, escape: dockerfile.escape, args: request.buildArgs, isHidden: request.isHidden },
    globals,
  };
  const planned = new Map<number, PlannedStage>();
  for (const [number, stage] of needed) {
    if (stage === undefined) continue;
    const { from, image: name, parent } = stage;
    const own = platformOf(stage, platform);
    const image = name === undefined ? undefined : await pull(name, own);
    const base =
      parent === undefined
        ? { config: (image?.image.config ?? SCRATCH) as DockerConfig }
        : (planned.get(parent) ?? { config: SCRATCH });
    const triggers = (base.config.OnBuild ?? []).map((line) => trigger(line, from, dockerfile, place));
    const state = evaluateStage(base, [...triggers, ...stage.instructions], setting);
    const images = new Map<string, Pulled>();
    for (const source of stage.sources)
      if (source.stage === undefined && source.name !== "scratch")
        images.set(source.name, await pull(source.name, platform));
    planned.set(number, {
      ...{ config: state.config, env: state.env, steps: state.steps },
      ...{ platform: own, parent, image },
      source: (at, given) =>
        stage.sources.find((one) => one.at === at && one.name === given)?.stage ?? images.get(given),
    });
  }
  return { stages: planned, target };
}

function platformArguments(target: Platform): Record<string, string> {
  const of = (prefix: string, platform: Platform): Record<string, string> => {
    const [os = "", architecture = "", variant = ""] = platform.split("/");
    return {
      [`${prefix}PLATFORM`]: platform,
      [`${prefix}OS`]: os,
      [`${prefix}ARCH`]: architecture,
      [`${prefix}VARIANT`]: variant,
    };
  };
  return { ...of("BUILD", hostPlatform()), ...of("TARGET", target) };
}

function platformOf({ platform }: Stage, target: Platform): Platform {
  return (platform ?? target).replace(/^linux\/arm64\/v8$/, "linux/arm64");
}

/** What can be refused before anything is fetched. */
function checkStage(
  stage: Stage,
  number: number,
  { place, platform }: { place: Place; platform: Platform },
): void {
  const { from, instructions, sources, unknown } = stage;
  const words = from.rest.split(/\s+/);
  const isNamed = words.length === 3 && /^as$/i.test(words[1] ?? "");
  checkInstruction(from, place);
  if (unknown) throw invalid(place(from), `${words[0] ?? "FROM"} names no image with these build arguments`);
  if (words.length !== 1 && !(isNamed && /^[a-z][\w.-]*$/i.test(words[2] ?? "")))
    throw invalid(place(from), "FROM needs an image, and may have AS and a name");
  for (const at of instructions) {
    checkInstruction(at, place);
    const problem = at.keyword === "RUN" ? emulationProblem(platformOf(stage, platform)) : undefined;
    if (problem) throw problem;
  }
  for (const { at, name, stage: source } of sources) {
    if (name.includes("$"))
      throw invalid(place(at), "from has no variables: name a stage that starts from the image");
    if (source !== undefined && (source >= number || source < 0))
      throw invalid(place(at), `the stage ${name} does not come before this one`);
  }
}

/** An instruction that a base's ONBUILD added. */
function trigger(line: string, from: Instruction, { escape }: Dockerfile, place: Place): Instruction {
  const directive = escape === "`" ? "# escape=`\n" : "";
  const [parsed, more] = parseDockerfile(directive + line).instructions;
  if (parsed === undefined || more !== undefined)
    throw invalid(place(from), `ONBUILD ${line} is not one line`);
  const at = { ...parsed, lines: from.lines };
  checkInstruction(at, place);
  if (at.flags.some((flag) => /^--from=|^--mount=(?:.*,)?from=/i.test(flag)))
    throw unsupported(place(from), `ONBUILD ${line} of the base`);
  return at;
}
