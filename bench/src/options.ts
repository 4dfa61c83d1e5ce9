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
  /** Passed to the Dockerfiles that declare them. */
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Folder for the results; undefined: write nothing. */
  readonly output: string | undefined;
}

export const HELP = `npm run bench -- [options]
npm run bench -- publish [options]     whole publishes: see npm run bench -- publish --help

Measures build times of the sample services: one platform, both, rebuilds, an edit, and their own Dockerfiles,
natively and under emulation. Writes docs/background/benchmarks.json, .svg and the tables of docs/background/benchmarks.md.

  --rounds N            rounds of everything [default: 3; under emulation 1]
  --rounds-of KIND=N    rounds of one kind, comma-separated: one, both (rebuilds included), foreign, dockerfile,
                        emulated; 0 skips it, e.g. --rounds-of emulated=0,dockerfile=1
  --service NAMES       only these services, comma-separated; writes nothing without --output
  --quick               one round, no emulation; writes nothing without --output
  --engine NAME         local: the local engine [default]; dagger: Dagger's engine; its whole cache is pruned
                        before each cold build
  --source DIR          folder with the services' sources [default: examples/repos]
  --catalog FILE        override file for the catalog, e.g. with mirrors of PyPI and npm
  --ca-bundle FILE      CA certificates for build steps [default: $TGO_CA_BUNDLE, else $NODE_EXTRA_CA_CERTS]
  --build-arg NAME=VALUE
                        passed to the Dockerfiles that declare it, e.g. a mirror
  --timeout MINUTES     time limit of one build; a build that exceeds it counts as failed [default: 20]
  --output DIR          folder for the results [default: docs]
`;

/**
 * Parses the command line.
 * @returns undefined for --help
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
    engine: engineName(values.engine ?? "local"),
    source: resolve(values.source ?? `${ROOT}/examples/repos`),
    catalog: values.catalog === undefined ? undefined : existing("catalog", values.catalog),
    caBundle: caBundle(values["ca-bundle"], env),
    buildArgs: buildArgs(values["build-arg"] ?? []),
    timeoutMs: count("timeout", values.timeout ?? "20", 1) * 60_000,
    output:
      output === undefined ? undefined : resolve(output === "docs" ? `${ROOT}/docs/background` : output),
  };
}

function parse(args: readonly string[]): ReturnType<typeof parseRaw> {
  try {
    return parseRaw(args);
  } catch (cause) {
    const message = cause instanceof Error ? (cause.message.split(". ", 1)[0] ?? "") : String(cause);
    throw new TgoError("USAGE", message, { remedy: "See npm run bench -- --help.", cause });
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
    remedy: `For example: --${flag} 3.`,
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
      throw new TgoError("USAGE", `unknown kind "${name}" in --rounds-of`, {
        remedy: `Use ${UNIT_NAMES.join(", ")}.`,
      });
    });
  return Object.fromEntries(entries);
}

/** @throws TgoError USAGE */
export function buildArgs(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((text) => {
      const equals = text.indexOf("=");
      if (equals > 0) return [text.slice(0, equals), text.slice(equals + 1)];
      throw new TgoError("USAGE", `--build-arg ${text} is not NAME=VALUE`, {
        remedy: "For example: --build-arg APT_MIRROR=mirrors.example.com.",
      });
    }),
  );
}

/** @throws TgoError USAGE */
export function engineName(text: string): EngineName {
  if (text === "local" || text === "dagger") return text;
  throw new TgoError("USAGE", `unknown engine "${text}"`, {
    remedy: "Use --engine local or --engine dagger.",
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
  throw new TgoError("USAGE", `no such file (--${flag})`, { where: resolve(path) });
}
