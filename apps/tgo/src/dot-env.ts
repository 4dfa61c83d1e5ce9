import { TgoError, withoutMark } from "@tgo/errors";
import { readInputFile, readReason, trustProblem, type InputFile, type TrustProblem } from "@tgo/host";
import { dirname, join } from "node:path";

export interface DotEnv {
  readonly path: string;
  /** In the order of the file, with variables expanded. */
  readonly variables: readonly { readonly name: string; readonly value: string }[];
}

export interface DotEnvOptions {
  /** Variables that values can refer to. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether a variable is one of this command's, not of another program that reads the file. */
  readonly isOurs: (name: string) => boolean;
  /** Called once for each file that is ignored although it may hold variables of ours. */
  readonly onIgnored: (ignored: TgoError) => void;
}

/**
 * Reads the nearest .env file in the folder or above it that is the caller's own, by the shell's rules that the dagger
 * command follows too. No library does: dotenv and Node's parseEnv forget whether a value was in single quotes, in which a
 * `$` is literal, and end an unquoted value at any `#`, while a shell wants a space in front of it.
 * @see https://github.com/dagger/dagger/blob/v0.21.8/core/dotenv/dotenv.go
 */
export async function readDotEnv(from: string, options: DotEnvOptions): Promise<DotEnv | undefined> {
  const file = await findDotEnv(from, options);
  if (file === undefined) return undefined;
  const known = new Map(Object.entries(options.env));
  const variables = file.lines.map(({ name, value, literal }) => {
    const expanded = literal ? value : expand(value, known);
    if (!known.has(name)) known.set(name, expanded);
    return { name, value: expanded };
  });
  return { path: file.path, variables };
}

/** Bytes. */
const MAX_BYTES = 1 << 20;

async function findDotEnv(
  from: string,
  { isOurs, onIgnored }: DotEnvOptions,
): Promise<{ path: string; lines: Line[] } | undefined> {
  for (let folder = from; ; folder = dirname(folder)) {
    const path = join(folder, ".env");
    const file = await readOne(path);
    if (file !== undefined) {
      const lines = "bytes" in file ? parseLines(textOf(path, file.bytes)) : [];
      const problem = "bytes" in file ? await ownerProblem(path, file) : file;
      if (problem === undefined) return { path, lines };
      const names = [...new Set(lines.map(({ name }) => name))].filter(isOurs);
      if (names.length > 0 || !("bytes" in file)) onIgnored(ignored(path, names, problem));
    }
    if (dirname(folder) === folder) return undefined;
  }
}

/** @throws TgoError USAGE for UTF-16 with variables of ours; those of others are skipped */
function textOf(path: string, bytes: Buffer): string {
  try {
    return withoutMark(bytes.toString(), path);
  } catch (error) {
    if (
      Buffer.from(bytes.filter((byte) => byte !== 0))
        .toString("latin1")
        .includes("TGO_")
    )
      throw error;
    return "";
  }
}

const REMEDY = "Fix or remove it.";

/** Not there, or a folder: a virtual environment of Python often has this name. */
const NO_FILE = new Set(["ENOENT", "ENOTDIR", "EISDIR"]);

/** @returns undefined if there is none */
async function readOne(path: string): Promise<InputFile | TrustProblem | undefined> {
  try {
    return await readInputFile(path, { maxBytes: MAX_BYTES });
  } catch (error) {
    if (NO_FILE.has((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    return { reason: readReason(error), remedy: REMEDY };
  }
}

function ownerProblem(path: string, { stats }: InputFile): Promise<TrustProblem | undefined> {
  return trustProblem(path, stats).catch((error: unknown) => ({
    reason: readReason(error),
    remedy: REMEDY,
  }));
}

function ignored(path: string, names: readonly string[], { reason, remedy }: TrustProblem): TgoError {
  const what = names.length === 0 ? "ignored" : `ignored ${names.join(", ")}`;
  return new TgoError("USAGE", `${what}: ${reason}`, { where: path, remedy });
}

interface Line {
  readonly name: string;
  readonly value: string;
  /** In single quotes: nothing is expanded. */
  readonly literal: boolean;
}

/** NAME=value lines, quoted or with a comment. Other lines are skipped: other programs read this file too. */
function parseLines(text: string): Line[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const [, name, rest = ""] = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*)$/.exec(line) ?? [];
    if (name === undefined) return [];
    const [, single, double] = /^(?:'([^']*)'|"([^"]*)")/.exec(rest) ?? [];
    const value = single ?? double ?? rest.replace(/(?:^|\s+)#.*$/, "").trim();
    return [{ name, value, literal: single !== undefined }];
  });
}

/** Expands $NAME and ${NAME}, from the environment or an earlier line. */
function expand(value: string, known: ReadonlyMap<string, string | undefined>): string {
  return value.replaceAll(
    /\$\{(\w+)\}|\$(\w+)/g,
    (_, braced?: string, plain?: string) => known.get(braced ?? plain ?? "") ?? "",
  );
}
