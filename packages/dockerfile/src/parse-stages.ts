import { expand } from "./expand.js";
import type { Dockerfile, Instruction } from "./parse-dockerfile.js";
import { splitWords } from "./words.js";

/** A stage of a Dockerfile, for one target platform and one set of build arguments. */
export interface Stage {
  /** Its AS name in lower case. Stage names are case-insensitive. */
  readonly name: string | undefined;
  /** The image it starts from, with arguments expanded; undefined for another stage and for scratch. */
  readonly image: string | undefined;
  /** Whether its base cannot be determined: a variable is empty, or written in a way that no builder reads. */
  readonly unknown: boolean;
  /** Its --platform, or that of the stage it starts from; undefined for the target platform. */
  readonly platform: string | undefined;
  /** The number of the stage it starts from. */
  readonly parent: number | undefined;
  readonly from: Instruction;
  readonly instructions: readonly Instruction[];
  /** What COPY --from and RUN --mount=from= name. */
  readonly sources: readonly StageSource[];
}

/** A stage or image that an instruction takes files from. */
export interface StageSource {
  /** As written. */
  readonly name: string;
  /** The number of a stage, which need not exist; undefined for an image. */
  readonly stage: number | undefined;
  readonly at: Instruction;
}

/**
 * The stages of a Dockerfile.
 * @param args build arguments by name, including the platform's (BUILDPLATFORM …)
 * @throws TgoError SOURCE if an argument cannot be expanded
 */
export function parseStages(dockerfile: Dockerfile, args: Readonly<Record<string, string>>): Stage[] {
  const known = globalArguments(dockerfile, args);
  const stages: (Stage & { instructions: Instruction[] })[] = [];
  const expanded = (word: string | undefined): string | undefined => {
    try {
      return word && expand(word, (name) => known.get(name), dockerfile.escape);
    } catch {
      return undefined;
    }
  };
  for (const at of dockerfile.instructions) {
    if (at.keyword !== "FROM") {
      stages.at(-1)?.instructions.push(at);
      continue;
    }
    const [base, as, name] = at.rest.split(/\s+/);
    const image = expanded(base);
    const parent = image === undefined ? undefined : stageNamed(stages, image);
    const inherited = parent === undefined ? undefined : stages[parent];
    stages.push({
      name: as?.toUpperCase() === "AS" ? name?.toLowerCase() : undefined,
      image: inherited || image === "scratch" ? undefined : image,
      unknown: image === undefined || image === "",
      platform: inherited ? inherited.platform : expanded(flagOf(at, "platform")),
      parent,
      from: at,
      instructions: [],
      sources: [],
    });
  }
  // Here a name means the last stage of the file that has it, even a later one.
  return stages.map((stage) => ({
    ...stage,
    sources: stage.instructions.flatMap((at) =>
      sourcesOf(at).map((name): StageSource => {
        if (at.keyword === "RUN" || !/^[+-]?\d+$/.test(name))
          return { name, at, stage: stageNamed(stages, name) };
        return { name, at, stage: Number(name) };
      }),
    ),
  }));
}

/** https://docs.docker.com/reference/dockerfile/#automatic-platform-args-in-the-global-scope */
const PREDEFINED = /^(?:BUILD|TARGET)(?:PLATFORM|OS|ARCH|VARIANT)$/;

/** The arguments of the whole file: those of the platform, and those that ARG declares before the first FROM. */
export function globalArguments(
  { instructions, escape }: Dockerfile,
  args: Readonly<Record<string, string>>,
): Map<string, string> {
  const known = new Map(Object.entries(args).filter(([name]) => PREDEFINED.test(name)));
  const first = instructions.findIndex(({ keyword }) => keyword === "FROM");
  for (const { keyword, rest } of instructions.slice(0, Math.max(first, 0))) {
    if (keyword !== "ARG") continue;
    for (const word of splitWords(rest, escape)) {
      const [name, text] = splitOnce(word);
      const value =
        args[name] ?? (text === undefined ? text : expand(text, (other) => known.get(other), escape));
      if (value !== undefined) known.set(name, value);
    }
  }
  return known;
}

/** A word before and after its first =. */
export function splitOnce(word: string): [string, string | undefined] {
  const at = word.indexOf("=");
  return at === -1 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
}

/** The value of an instruction's last flag with this name. */
export function flagOf({ flags }: Instruction, name: string): string | undefined {
  return flags.findLast((flag) => flag.startsWith(`--${name}=`))?.slice(name.length + 3);
}

/** The stages and images that COPY --from and RUN --mount=from= name. */
function sourcesOf({ keyword, flags }: Instruction): string[] {
  return flags.flatMap((flag) => {
    if (keyword === "COPY") return /^--from=(.+)$/.exec(flag)?.[1] ?? [];
    if (keyword !== "RUN" || !flag.startsWith("--mount=")) return [];
    const fields = flag.slice("--mount=".length).split(",");
    return fields.findLast((field) => /^from=./i.test(field))?.slice("from=".length) ?? [];
  });
}

/** The numbers of the stages that a target needs, including its own. */
export function neededStages(stages: readonly Stage[], target: number): number[] {
  const needed = new Set<number>();
  const add = (number: number | undefined): void => {
    if (number === undefined || needed.has(number)) return;
    needed.add(number);
    add(stages[number]?.parent);
    for (const { stage } of stages[number]?.sources ?? []) add(stage);
  };
  add(target);
  return [...needed].sort((a, b) => a - b);
}

/** The number of the target stage, given by name or number; the last stage if omitted; undefined if it does not exist. */
export function targetStage(stages: readonly Stage[], target: string | undefined): number | undefined {
  if (target === undefined) return stages.length === 0 ? undefined : stages.length - 1;
  return (
    stageNamed(stages, target) ??
    (/^\d+$/.test(target) && stages[Number(target)] ? Number(target) : undefined)
  );
}

/** The number of the last of these stages with a name. */
function stageNamed(stages: readonly Stage[], name: string): number | undefined {
  const number = stages.findLastIndex((stage) => stage.name === name.toLowerCase());
  return number === -1 ? undefined : number;
}

/** An image that a Dockerfile names, with its arguments expanded. */
export interface NamedImage {
  readonly image: string;
  readonly platform: string | undefined;
  /** The instruction that names it. */
  readonly at: Instruction;
}

/** The images that the stages start from, copy from or mount. */
export function imagesOf(stages: readonly Stage[]): NamedImage[] {
  return stages.flatMap(({ image, platform, from, sources }) => [
    ...(image === undefined || image === "" ? [] : [{ image, platform, at: from }]),
    ...sources
      .filter(({ name, stage }) => stage === undefined && !name.includes("$") && name !== "scratch")
      .map(({ name, at }) => ({ image: name, platform: undefined, at })),
  ]);
}
