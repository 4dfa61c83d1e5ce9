import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";

export interface DotEnv {
  readonly path: string;
  /** In the order of the file, with variables expanded. */
  readonly variables: readonly { readonly name: string; readonly value: string }[];
}

/**
 * Reads the nearest .env file in the folder or above it, by the shell's rules that the dagger command follows too.
 * No library does: dotenv and Node's parseEnv forget whether a value was in single quotes, in which a `$` is literal,
 * and end an unquoted value at any `#`, while a shell wants a space in front of it.
 * @see https://github.com/dagger/dagger/blob/v0.21.8/core/dotenv/dotenv.go
 */
export async function readDotEnv(
  from: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<DotEnv | undefined> {
  const file = await findDotEnv(from);
  if (file === undefined) return undefined;
  const known = new Map(Object.entries(env));
  const variables = parseLines(file.text).map(({ name, value, literal }) => {
    const expanded = literal ? value : expand(value, known);
    if (!known.has(name)) known.set(name, expanded);
    return { name, value: expanded };
  });
  return { path: file.path, variables };
}

async function findDotEnv(from: string): Promise<{ path: string; text: string } | undefined> {
  for (let folder = from; ; folder = dirname(folder)) {
    const path = join(folder, ".env");
    const text = await readFile(path, "utf8").catch(() => undefined);
    if (text !== undefined) return { path, text };
    if (dirname(folder) === folder) return undefined;
  }
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
