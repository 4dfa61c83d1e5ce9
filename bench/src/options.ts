import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { TgoError } from "@tgo/errors";
import type { EngineName } from "./job.js";
import { UNIT_NAMES, type UnitName } from "./kinds.js";
import type { Rounds } from "./plan.js";
import { ROOT } from "./samples.js";

export interface Options {
  readonly rounds: Rounds;
  readonly services: readonly string[];
  readonly engine: EngineName;
  readonly source: string;
  readonly catalog: string | undefined;
  readonly caBundle: string | undefined;
  /** For the Dockerfiles that declare them. */
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Where results are written; undefined: nowhere. */
  readonly output: string | undefined;
}

export const HELP = `npm run bench -- [options]

Measures how long building the sample services takes: one platform, both, again, after an edit, and by their own
Dockerfiles, natively and under emulation. Writes docs/benchmarks.json, .svg and the tables of docs/benchmarks.md.

  --rounds N            how often everything is measured [default: 3; under emulation once]
  --rounds-of KIND=N    how often one kind is, comma-separated: one, both (with what is built again), foreign,
                        dockerfile, emulated; 0 leaves it out, e.g. --rounds-of emulated=0,dockerfile=1
  --service NAMES       only these, comma-separated; then nothing is written without --output
  --quick               one round, nothing under emulation; nothing is written without --output
  --engine NAME         buildah: the embedded engine [default]; dagger: Dagger's, whose whole cache is thrown away
                        before each cold build
  --source DIR          where the services' folders are [default: examples/repos]
  --catalog FILE        an override of the catalog, e.g. with mirrors of PyPI and npm
  --ca-bundle FILE      certificates that build steps trust [default: $TGO_CA_BUNDLE, else $NODE_EXTRA_CA_CERTS]
  --build-arg NAME=VALUE
                        for the services' own Dockerfiles that declare it, e.g. a mirror
  --timeout MINUTES     after which one build is given up and counts as failed [default: 20]
  --output DIR          where to write the results [default: docs]
`;

/**
 * The command line.
 * @returns undefined when help was asked for
 * @throws TgoError USAGE
 */
export function parseOptions(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Options | undefined {
  const values = parse(args);
  if (values.help === true) return undefined;
  const quick = values.quick === true;
  const partial = quick || values.service !== undefined || values.source !== undefined;
  const output = values.output ?? (partial ? undefined : "docs");
  return {
    rounds: {
      ...allRounds(count("rounds", values.rounds ?? (quick ? "1" : "3"), 1)),
      emulated: quick ? 0 : 1,
      ...roundsOf(values["rounds-of"] ?? []),
    },
    services: (values.service ?? []).flatMap((names) => names.split(",")).map((name) => name.trim()),
    engine: engineName(values.engine ?? "buildah"),
    source: resolve(values.source ?? `${ROOT}/examples/repos`),
    catalog: values.catalog === undefined ? undefined : existing("catalog", values.catalog),
    caBundle: caBundle(values["ca-bundle"], env),
    buildArgs: buildArgs(values["build-arg"] ?? []),
    timeoutMs: count("timeout", values.timeout ?? "20", 1) * 60_000,
    output: output === undefined ? undefined : resolve(output === "docs" ? `${ROOT}/docs` : output),
  };
}

function parse(args: readonly string[]): ReturnType<typeof parseRaw> {
  try {
    return parseRaw(args);
  } catch (cause) {
    const what = cause instanceof Error ? (cause.message.split(". ", 1)[0] ?? "") : String(cause);
    throw new TgoError("USAGE", what, { remedy: "Options: npm run bench -- --help.", cause });
  }
}

function parseRaw(args: readonly string[]) {
  const text = { type: "string" } as const;
  return parseArgs({
    args: [...args],
    options: {
      rounds: text,
      "rounds-of": { type: "string", multiple: true },
      service: { type: "string", multiple: true },
      quick: { type: "boolean" },
      engine: text,
      source: text,
      catalog: text,
      "ca-bundle": text,
      "build-arg": { type: "string", multiple: true },
      timeout: text,
      output: text,
      help: { type: "boolean", short: "h" },
    },
  }).values;
}

function count(flag: string, text: string, least: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= least) return number;
  throw new TgoError("USAGE", `--${flag} ${text} is not a whole number of ${least} or more`, {
    remedy: `Write for example --${flag} 3.`,
  });
}

function allRounds(rounds: number): Rounds {
  return { one: rounds, both: rounds, foreign: rounds, dockerfile: rounds, emulated: rounds };
}

function roundsOf(given: readonly string[]): Partial<Rounds> {
  const entries = given
    .flatMap((text) => text.split(","))
    .map((text) => {
      const [name = "", number = ""] = text.split("=");
      const unit = UNIT_NAMES.find((known): known is UnitName => known === name.trim());
      if (unit !== undefined) return [unit, count("rounds-of", number, 0)] as const;
      throw new TgoError("USAGE", `--rounds-of knows no kind "${name}"`, {
        remedy: `Use ${UNIT_NAMES.join(", ")}.`,
      });
    });
  return Object.fromEntries(entries);
}

function buildArgs(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((text) => {
      const equals = text.indexOf("=");
      if (equals > 0) return [text.slice(0, equals), text.slice(equals + 1)];
      throw new TgoError("USAGE", `--build-arg ${text} is not NAME=VALUE`, {
        remedy: "Write for example --build-arg APT_MIRROR=mirrors.example.com.",
      });
    }),
  );
}

function engineName(text: string): EngineName {
  if (text === "buildah" || text === "dagger") return text;
  throw new TgoError("USAGE", `there is no engine "${text}"`, {
    remedy: "Use --engine buildah or --engine dagger.",
  });
}

function caBundle(
  given: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (given !== undefined) return existing("ca-bundle", given);
  const named = [env.TGO_CA_BUNDLE, env.NODE_EXTRA_CA_CERTS].find((path) => (path ?? "") !== "");
  return named !== undefined && existsSync(named) ? resolve(named) : undefined;
}

function existing(flag: string, path: string): string {
  if (existsSync(path)) return resolve(path);
  throw new TgoError("USAGE", `there is no such file (--${flag})`, { where: resolve(path) });
}
