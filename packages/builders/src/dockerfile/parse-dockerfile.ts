/**
 * An instruction of a Dockerfile.
 * @see https://docs.docker.com/reference/dockerfile/
 */
export interface Instruction {
  /** Upper case: "FROM", "RUN". */
  readonly keyword: string;
  /** Its arguments, from all its lines. */
  readonly rest: string;
  /** Its first line and the line after its last, counted from 0. */
  readonly lines: readonly [number, number];
}

/** Parses instructions: joins continued lines, drops comments and skips here-documents. */
export function parseInstructions(text: string): Instruction[] {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const escape = escapeCharacter(lines);
  const found: Instruction[] = [];
  for (let at = 0; at < lines.length;) {
    const start = at;
    let joined = "";
    for (let more = true; more && at < lines.length; at++) {
      const line = lines[at] ?? "";
      // Comments and empty lines within an instruction are not part of it.
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
    if (/^(?:RUN|COPY|ADD)$/i.test(keyword)) at = skipHereDocuments(rest, lines, at);
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

function skipHereDocuments(rest: string, lines: readonly string[], at: number): number {
  let next = at;
  for (const [, tabs, , word] of rest.matchAll(/(?<!<)\d*<<(-?)(["']?)([A-Za-z_]\w*)\2/g)) {
    const ends = (line: string): boolean => (tabs === "-" ? line.replace(/^\t+/, "") : line) === word;
    const end = lines.findIndex((line, index) => index >= next && ends(line));
    // Without an end it is a bit shift, or an error that the build reports.
    if (end !== -1) next = end + 1;
  }
  return next;
}

/** A stage of a Dockerfile, for one target platform and one set of build arguments. */
export interface Stage {
  /** Its AS name in lower case. Stage names are case-insensitive. */
  readonly name: string | undefined;
  /** The image it starts from, with arguments expanded; undefined for another stage and for scratch. */
  readonly image: string | undefined;
  /** Whether its base cannot be determined without running the build. */
  readonly unknown: boolean;
  /** Its --platform, or that of the stage it starts from; undefined for the target platform. */
  readonly platform: string | undefined;
  /** The number of its RUN instructions. */
  readonly runs: number;
  /** The numbers of the stages it starts from, copies from or mounts. */
  readonly needs: readonly number[];
  /** The images it copies from or mounts, as written. */
  readonly copies: readonly { readonly image: string; readonly at: Instruction }[];
  /** The number of the stage it starts from. */
  readonly parent: number | undefined;
  readonly from: Instruction;
}

/**
 * The stages of a Dockerfile.
 * @param args build arguments by name, including the platform's (BUILDPLATFORM …)
 */
export function parseStages(
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
    if (keyword === "ARG" && last === undefined) declareArguments(known, rest, args);
    else if (keyword === "FROM") {
      const flag = words.find((word) => word.startsWith("--platform="))?.slice("--platform=".length);
      const [base = "", as, name] = words.filter((word) => !word.startsWith("--"));
      const image = expand(unquoted(base), known);
      const parent =
        image === undefined ? undefined : stages.findLastIndex((stage) => stage.name === image.toLowerCase());
      const isStage = parent !== undefined && parent !== -1;
      stages.push({
        name: as?.toUpperCase() === "AS" ? name?.toLowerCase() : undefined,
        image: isStage || image === "scratch" ? undefined : image,
        unknown: image === undefined || image === "",
        platform: isStage ? stages[parent]?.platform : flag && expand(unquoted(flag), known),
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

function declareArguments(
  known: Map<string, string>,
  rest: string,
  args: Readonly<Record<string, string>>,
): void {
  for (const [, name = "", , text] of rest.matchAll(/([A-Za-z_]\w*)(=((?:"[^"]*"|'[^']*'|[^\s"'])*))?/g)) {
    const given = args[name];
    const value = given ?? (text === undefined ? known.get(name) : expand(unquoted(text), known));
    if (value !== undefined) known.set(name, value);
  }
}

function unquoted(text: string): string {
  return text.replaceAll(
    /"([^"]*)"|'([^']*)'/g,
    (_, double?: string, single?: string) => double ?? single ?? "",
  );
}

/** Expands $NAME, ${NAME}, ${NAME:-default} and ${NAME:+other}; undefined for any other expansion. */
function expand(text: string, known: ReadonlyMap<string, string>): string | undefined {
  const expanded = text.replaceAll(
    /\$\{(\w+)(?::?([-+])([^${}]*))?\}|\$(\w+)/g,
    (_, braced?: string, operator?: string, word?: string, plain?: string) => {
      const value = known.get(braced ?? plain ?? "") ?? "";
      if (operator === "-") return value === "" ? (word ?? "") : value;
      if (operator === "+") return value === "" ? "" : (word ?? "");
      return value;
    },
  );
  return expanded.includes("$") ? undefined : expanded;
}

/** The numbers of the stages that a target needs, including its own. */
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

/** The number of the target stage, given by name or number; the last stage if omitted; undefined if it does not exist. */
export function targetStage(stages: readonly Stage[], target: string | undefined): number | undefined {
  if (target === undefined) return stages.length === 0 ? undefined : stages.length - 1;
  const named = stages.findLastIndex((stage) => stage.name === target.toLowerCase());
  if (named !== -1) return named;
  return /^\d+$/.test(target) && Number(target) < stages.length ? Number(target) : undefined;
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
  return stages.flatMap(({ image, platform, from, copies }) => [
    ...(image === undefined || image === "" ? [] : [{ image, platform, at: from }]),
    ...copies.map((copy) => ({ ...copy, platform })),
  ]);
}
