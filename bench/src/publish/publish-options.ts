import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { TgoError } from "@tgo/errors";
import { buildArgs, engineName } from "../options.js";
import { ROOT } from "../samples.js";
import type { EngineName } from "../job.js";
import { PUBLISH_KINDS, type PublishKind } from "./publish-results.js";

export interface PublishOptions {
  readonly rounds: number;
  readonly services: readonly string[];
  readonly kinds: readonly PublishKind[];
  /** Kinds that are measured of the other checkout. */
  readonly beforeKinds: readonly PublishKind[];
  /** Rounds of the Dockerfile's build, which takes minutes. */
  readonly dockerfileRounds: number;
  readonly engine: EngineName;
  /** Whether Dagger's engine keeps its cache: nothing is cold then. */
  readonly keepCache: boolean;
  readonly buildArgs: Readonly<Record<string, string>>;
  /** Checkouts by the code's name: this one is "after". */
  readonly checkouts: Readonly<Record<string, string>>;
  readonly caBundle: string | undefined;
  readonly timeoutMs: number;
  /** File of results; earlier rounds in it are kept. */
  readonly output: string | undefined;
  /** Whether the tables are written into docs/background/benchmarks.md. */
  readonly write: boolean;
}

export const PUBLISH_HELP = `npm run bench -- publish [options]

Measures tgo publish from the command to the digest, to three registries on this machine: cold for one platform and for
both, with nothing changed, and after an edit; and the services' own Dockerfiles to the same end. Wall clock and processor
seconds, one after the other in every round. Cold: an empty folder for the local engine, or Dagger's cache pruned; base
images come from a registry on this machine.

  --rounds N            rounds [default: 3]
  --dockerfile-rounds N rounds of the Dockerfiles, whose foreign platform is emulated and takes minutes [default: 1]
  --service NAMES       services, comma-separated [default: tgo-api,tgo-rag,tgo-web]
  --kinds KINDS         ${PUBLISH_KINDS.join(", ")}, comma-separated [default: all]; warm and edit need both
  --before DIR          another checkout, with its packages installed, measured in the same rounds as "before"
  --before-kinds KINDS  what is measured of it [default: one]
  --engine NAME         local: the local engine [default]; dagger: Dagger's engine, whose whole cache is pruned before
                        each cold publish
  --keep-cache          does not prune Dagger's cache: "cold" is what the engine makes of it
  --ca-bundle FILE      CA certificates for build steps [default: $TGO_CA_BUNDLE, else $NODE_EXTRA_CA_CERTS]
  --build-arg NAME=VALUE
                        passed to the Dockerfiles that declare it, e.g. a mirror
  --timeout MINUTES     time limit of one publish [default: 20]
  --output FILE         JSON file for the results; rounds that are in it already count too
  --write               adds the results to docs/background/publishes.json, and writes the tables of benchmarks.md
                        and its plot; services and kinds that were not measured now keep theirs; local engine only
`;

/**
 * Parses what follows `npm run bench -- publish`.
 * @returns undefined for --help
 * @throws TgoError USAGE
 */
export function parsePublishOptions(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): PublishOptions | undefined {
  const values = parse(args);
  if (values.help === true) return undefined;
  if (values.write === true && values.engine === "dagger")
    throw new TgoError("USAGE", "--write is for the local engine, whose results the document has", {
      remedy: "For Dagger's engine: --output FILE.",
    });
  const bundle = values["ca-bundle"] ?? env.TGO_CA_BUNDLE ?? env.NODE_EXTRA_CA_CERTS;
  return {
    rounds: count("rounds", values.rounds ?? "3"),
    services: list(values.service ?? "tgo-api,tgo-rag,tgo-web"),
    kinds: values.kinds === undefined ? PUBLISH_KINDS : list(values.kinds).map(kindOf),
    beforeKinds: list(values["before-kinds"] ?? "one").map(kindOf),
    dockerfileRounds: count("dockerfile-rounds", values["dockerfile-rounds"] ?? "1"),
    engine: engineName(values.engine ?? "local"),
    keepCache: values["keep-cache"] === true,
    buildArgs: buildArgs(values["build-arg"] ?? []),
    checkouts: {
      ...(values.before === undefined ? {} : { before: checkout(values.before) }),
      after: ROOT,
    },
    caBundle: bundle === undefined ? undefined : existing("ca-bundle", bundle),
    timeoutMs: count("timeout", values.timeout ?? "20") * 60_000,
    output: values.output === undefined ? undefined : resolve(values.output),
    write: values.write === true,
  };
}

function parse(args: readonly string[]) {
  const text = { type: "string" } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        rounds: text,
        service: text,
        kinds: text,
        before: text,
        "before-kinds": text,
        "dockerfile-rounds": text,
        engine: text,
        "keep-cache": { type: "boolean" },
        "build-arg": { type: "string", multiple: true },
        write: { type: "boolean" },
        "ca-bundle": text,
        timeout: text,
        output: text,
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (cause) {
    const message = cause instanceof Error ? (cause.message.split(". ", 1)[0] ?? "") : String(cause);
    throw new TgoError("USAGE", message, { remedy: "See npm run bench -- publish --help.", cause });
  }
}

function list(text: string): string[] {
  return text.split(",").map((name) => name.trim());
}

function kindOf(name: string): PublishKind {
  const kind = PUBLISH_KINDS.find((known) => known === name);
  if (kind !== undefined) return kind;
  throw new TgoError("USAGE", `unknown kind "${name}" in --kinds`, {
    remedy: `Use ${PUBLISH_KINDS.join(", ")}.`,
  });
}

function count(flag: string, text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1) return number;
  throw new TgoError("USAGE", `--${flag} ${text} is not a whole number of 1 or more`, {
    remedy: `For example: --${flag} 3.`,
  });
}

function existing(flag: string, path: string): string {
  const file = resolve(path);
  if (existsSync(file)) return file;
  throw new TgoError("USAGE", `--${flag}: no such file`, { where: file });
}

function checkout(path: string): string {
  const folder = existing("before", path);
  if (existsSync(`${folder}/apps/tgo/bin/tgo.js`)) return folder;
  throw new TgoError("USAGE", "--before is not a checkout of this repository", { where: folder });
}
