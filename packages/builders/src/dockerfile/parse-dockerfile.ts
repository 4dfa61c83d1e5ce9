/**
 * What of a Dockerfile has to be known before it is built: its stages, what they start from, what they run.
 * @see https://docs.docker.com/reference/dockerfile/
 */
export interface Instruction {
  /** Upper case: "FROM", "RUN". */
  readonly keyword: string;
  /** The words after it, of all its lines. */
  readonly rest: string;
  /** Its first line and the one behind its last, counted from 0. */
  readonly lines: readonly [number, number];
}

/** Reads instructions: lines joined by the escape character, comments left out, here-documents stepped over. */
export function instructionsOf(text: string): Instruction[] {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const escape = escapeCharacter(lines);
  const found: Instruction[] = [];
  for (let at = 0; at < lines.length;) {
    const start = at;
    let joined = "";
    for (let more = true; more && at < lines.length; at++) {
      const line = lines[at] ?? "";
      // Comments and empty lines between the lines of one instruction are no part of it.
      if (/^\s*#/.test(line) || (at > start && line.trim() === "")) {
        if (at === start) break;
        continue;
      }
      const trimmed = line.trimEnd();
      more = trimmed.endsWith(escape);
      joined += more ? trimmed.slice(0, -1) : line;
    }
    if (at === start) at += 1;
    const [, keyword, rest = ""] = /^\s*([A-Za-z]+)(?:\s+(.*))?$/s.exec(joined) ?? [];
    if (keyword === undefined) continue;
    if (/^(?:RUN|COPY|ADD)$/i.test(keyword)) at = behindHereDocuments(rest, lines, at);
    found.push({ keyword: keyword.toUpperCase(), rest: rest.trim(), lines: [start, at] });
  }
  return found;
}

function escapeCharacter(lines: readonly string[]): string {
  for (const line of lines) {
    const directive = /^#\s*([A-Za-z]+)\s*=\s*(\S+)\s*$/.exec(line);
    if (directive === null) break;
    if (directive[1]?.toLowerCase() === "escape" && directive[2] === "`") return "`";
  }
  return "\\";
}

function behindHereDocuments(rest: string, lines: readonly string[], at: number): number {
  let behind = at;
  for (const [, tabs, , word] of rest.matchAll(/(?<!<)\d*<<(-?)(["']?)([A-Za-z_]\w*)\2/g)) {
    const ends = (line: string): boolean => (tabs === "-" ? line.replace(/^\t+/, "") : line) === word;
    const end = lines.findIndex((line, index) => index >= behind && ends(line));
    // Nothing ends it: then it was no here-document, but a shift of bits, or the build says so.
    if (end !== -1) behind = end + 1;
  }
  return behind;
}

/** A stage of a Dockerfile, for one target platform and one set of arguments. */
export interface Stage {
  /** Its AS, in lower case, as it is looked up. */
  readonly name: string | undefined;
  /** The image it starts from as written, its arguments filled in; undefined for another stage, and for scratch. */
  readonly image: string | undefined;
  /** Whether what it starts from cannot be told without running the build. */
  readonly unknown: boolean;
  /** Its --platform, or that of the stage it starts from; undefined: the target's. */
  readonly platform: string | undefined;
  /** How many RUN lines it has. */
  readonly runs: number;
  /** The stages it starts from, copies from and mounts, by their number. */
  readonly needs: readonly number[];
  /** The images it copies from and mounts, as written. */
  readonly copies: readonly { readonly image: string; readonly at: Instruction }[];
  /** The stage it starts from. */
  readonly parent: number | undefined;
  readonly from: Instruction;
}

/**
 * @param args build arguments by name, the platform's own (BUILDPLATFORM …) included
 */
export function stagesOf(
  instructions: readonly Instruction[],
  args: Readonly<Record<string, string>>,
): Stage[] {
  const known = new Map(Object.entries(args).filter(([name]) => PREDEFINED.test(name)));
  const stages: Stage[] = [];
  const numberOf = (name: string): number | undefined => {
    const named = stages.findLastIndex((stage) => stage.name === name.toLowerCase());
    if (named !== -1) return named;
    return /^\d+$/.test(name) && Number(name) < stages.length ? Number(name) : undefined;
  };
  for (const instruction of instructions) {
    const { keyword, rest } = instruction;
    const words = rest.split(/\s+/);
    const last = stages.at(-1);
    if (keyword === "ARG" && last === undefined) declare(known, rest, args);
    else if (keyword === "FROM") {
      const flag = words.find((word) => word.startsWith("--platform="))?.slice("--platform=".length);
      const [base = "", as, name] = words.filter((word) => !word.startsWith("--"));
      const image = filledIn(unquoted(base), known);
      const parent =
        image === undefined ? undefined : stages.findLastIndex((stage) => stage.name === image.toLowerCase());
      const isStage = parent !== undefined && parent !== -1;
      stages.push({
        name: as?.toUpperCase() === "AS" ? name?.toLowerCase() : undefined,
        image: isStage || image === "scratch" ? undefined : image,
        unknown: image === undefined || image === "",
        platform: isStage ? stages[parent]?.platform : flag && filledIn(unquoted(flag), known),
        runs: 0,
        needs: isStage ? [parent] : [],
        copies: [],
        parent: isStage ? parent : undefined,
        from: instruction,
      });
    } else if (last !== undefined) {
      const sources = sourcesOf(keyword, words).map((name) => ({ name, number: numberOf(name) }));
      stages[stages.length - 1] = {
        ...last,
        runs: last.runs + (keyword === "RUN" ? 1 : 0),
        needs: [...last.needs, ...sources.flatMap(({ number }) => number ?? [])],
        copies: [
          ...last.copies,
          ...sources
            .filter(({ name, number }) => number === undefined && !name.includes("$") && name !== "scratch")
            .map(({ name }) => ({ image: name, at: instruction })),
        ],
      };
    }
  }
  return stages;
}

/** https://docs.docker.com/reference/dockerfile/#automatic-platform-args-in-the-global-scope */
const PREDEFINED = /^(?:BUILD|TARGET)(?:PLATFORM|OS|ARCH|VARIANT)$/;

function sourcesOf(keyword: string, words: readonly string[]): string[] {
  const flags = words.filter((word) => word.startsWith("--"));
  if (keyword === "COPY") return flags.flatMap((flag) => /^--from=(.+)$/.exec(flag)?.[1] ?? []);
  if (keyword !== "RUN") return [];
  return flags.flatMap((flag) => /^--mount=(?:.*,)?from=([^,]+)/.exec(flag)?.[1] ?? []);
}

function declare(known: Map<string, string>, rest: string, args: Readonly<Record<string, string>>): void {
  for (const [, name = "", , text] of rest.matchAll(/([A-Za-z_]\w*)(=((?:"[^"]*"|'[^']*'|[^\s"'])*))?/g)) {
    const given = args[name];
    const value = given ?? (text === undefined ? known.get(name) : filledIn(unquoted(text), known));
    if (value !== undefined) known.set(name, value);
  }
}

function unquoted(text: string): string {
  return text.replaceAll(
    /"([^"]*)"|'([^']*)'/g,
    (_, double?: string, single?: string) => double ?? single ?? "",
  );
}

/** $NAME, ${NAME}, ${NAME:-default} and ${NAME:+other}; undefined for what else a Dockerfile may ask for. */
function filledIn(text: string, known: ReadonlyMap<string, string>): string | undefined {
  const filled = text.replaceAll(
    /\$\{(\w+)(?::?([-+])([^${}]*))?\}|\$(\w+)/g,
    (_, braced?: string, operator?: string, word?: string, plain?: string) => {
      const value = known.get(braced ?? plain ?? "") ?? "";
      if (operator === "-") return value === "" ? (word ?? "") : value;
      if (operator === "+") return value === "" ? "" : (word ?? "");
      return value;
    },
  );
  return filled.includes("$") ? undefined : filled;
}

/** The stages a target is made of, itself included, by their number. */
export function neededStages(stages: readonly Stage[], target: number): number[] {
  const needed = new Set<number>();
  const add = (number: number): void => {
    if (needed.has(number)) return;
    needed.add(number);
    stages[number]?.needs.forEach(add);
  };
  add(target);
  return [...needed].sort((a, b) => a - b);
}

/** The stage's number by its name or number; the last one without a name; undefined when there is none. */
export function targetStage(stages: readonly Stage[], target: string | undefined): number | undefined {
  if (target === undefined) return stages.length === 0 ? undefined : stages.length - 1;
  const named = stages.findLastIndex((stage) => stage.name === target.toLowerCase());
  if (named !== -1) return named;
  return /^\d+$/.test(target) && Number(target) < stages.length ? Number(target) : undefined;
}

/** An image that a Dockerfile names, as written and with its arguments filled in. */
export interface NamedImage {
  readonly image: string;
  readonly platform: string | undefined;
  readonly at: Instruction;
}

export function imagesOf(stages: readonly Stage[]): NamedImage[] {
  return stages.flatMap(({ image, platform, from, copies }) => [
    ...(image === undefined || image === "" ? [] : [{ image, platform, at: from }]),
    ...copies.map((copy) => ({ ...copy, platform })),
  ]);
}

/** What to put in an image's place. */
export interface Replacement {
  readonly address: string;
  /** Written out where any stage has a --platform: builders have been seen that take it for the next stages' too. */
  readonly platform: string;
}

/** The Dockerfile with other images in their place. Lines keep their numbers: messages of the build name them. */
export function withImages(text: string, images: ReadonlyMap<NamedImage, Replacement>): string {
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
