import type { Pipelines } from "../../src/pipelines.js";

/** The words of a POSIX shell's line, as far as our commands quote them. */
export function shellWords(line: string): string[] {
  return (line.match(/(?:'[^']*'|\\.|[^\s'\\])+/g) ?? []).map((word) =>
    word.replaceAll(/'([^']*)'|\\(.)/g, (_, quoted?: string, escaped?: string) => quoted ?? escaped ?? ""),
  );
}

interface Typed {
  readonly name: string;
  readonly flags: ReadonlyMap<string, readonly string[]>;
}

function parseLine(line: string): Typed {
  const [program, call, ...words] = shellWords(line);
  if (program !== "dagger" || call !== "call") throw new Error(`not a dagger call: ${line}`);
  const flags = new Map<string, string[]>();
  let name = "";
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    const next = words[at + 1];
    if (!word.startsWith("--")) name = word;
    else if (next === undefined || next.startsWith("--") || SWITCHES.has(word)) flags.set(word, ["true"]);
    else flags.set(word, [...(flags.get(word) ?? []), words[++at] ?? ""]);
  }
  return { name, flags };
}

const SWITCHES = new Set(["--allow-backwards", "--adopt-latest"]);

/** Runs a command that a report or a remedy printed, as it stands. @throws what the function throws */
export async function runLine(
  line: string,
  create: (...args: ConstructorParameters<typeof Pipelines>) => Pipelines,
  [client, product]: readonly [
    ConstructorParameters<typeof Pipelines>[0],
    ConstructorParameters<typeof Pipelines>[1],
  ],
): Promise<string> {
  const { name, flags } = parseLine(line);
  const list = (flag: string): readonly string[] | undefined => flags.get(`--${flag}`);
  const one = (flag: string): string | undefined => list(flag)?.[0];
  const pipelines = create(
    client,
    product,
    { registry: list("registry"), platform: list("platform") },
    { local: true, command: "dagger call", progress: () => undefined },
  );
  const services = list("service") ?? ["all"];
  const switches = {
    allowBackwards: flags.has("--allow-backwards"),
    adoptLatest: flags.has("--adopt-latest"),
  };
  const format = "json";
  switch (name) {
    case "promote":
      return pipelines.promote(services, { version: one("version"), ...switches }, format);
    case "verify":
      return pipelines.verify(services, { tag: one("tag"), elf: true }, format);
    case "status":
      return pipelines.status(services, format);
    default:
      throw new Error(`${name} is not run here`);
  }
}
