import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { CliProcess } from "./process.js";
import type { Argument, ModuleApi } from "./module-api.js";
import { parseScalar, splitList, type Scalar } from "./value.js";

/** A flag's value from the environment. */
export interface Default {
  readonly value: Scalar | readonly Scalar[];
  /** Where it is from, for messages: "TGO_CATALOG", "TGO_CATALOG in /home/me/.env". */
  readonly from: string;
}

/**
 * Defaults of the module's constructor flags: TGO_<NAME> of the environment, else of the nearest .env file. The dagger
 * command reads the same file by the same rule, and takes the name in one word only: TGO_BASELOCK. Here TGO_BASE_LOCK
 * is the same.
 * @throws TgoError USAGE for a value that the flag does not take
 */
export async function readDefaults(
  surface: ModuleApi,
  { env, cwd }: Pick<CliProcess, "env" | "cwd">,
): Promise<ReadonlyMap<string, Default>> {
  const prefix = `${surface.name}_`;
  const named = new Map<string, { text: string; variable: string; from: string }>();
  const add = (variable: string, text: string | undefined, from: string): void => {
    if (text === undefined || text === "" || !variable.toLowerCase().startsWith(prefix)) return;
    const name = variable.slice(prefix.length).replaceAll("_", "").toLowerCase();
    if (!named.has(name)) named.set(name, { text, variable, from });
  };
  for (const [variable, text] of Object.entries(env)) add(variable, text, variable);
  const file = await nearestDotEnv(cwd);
  const known = new Map(Object.entries(env));
  for (const { name, value, literal } of linesOf(file?.text ?? "")) {
    const text = literal ? value : expanded(value, known);
    if (!known.has(name)) known.set(name, text);
    add(name, text, `${name} in ${file?.path ?? ""}`);
  }
  return new Map(
    surface.constructor.arguments.flatMap((argument) => {
      const found = named.get(argument.name.toLowerCase());
      return found === undefined
        ? []
        : [[argument.name, { value: valueOf(argument, found.text, surface), from: found.from }] as const];
    }),
  );
}

function valueOf(argument: Argument, text: string, surface: ModuleApi): Scalar | Scalar[] {
  const { type } = argument;
  if (type.kind === "boolean") return text === "true" || text === "1";
  if (type.kind !== "list") return parseScalar(argument, type, text, surface.enums);
  const item = type.of ?? { kind: "string" };
  return splitList(text).map((each) => parseScalar(argument, item, each, surface.enums));
}

async function nearestDotEnv(from: string): Promise<{ path: string; text: string } | undefined> {
  for (let at = from; ; at = dirname(at)) {
    const path = join(at, ".env");
    const text = await readFile(path, "utf8").catch(() => undefined);
    if (text !== undefined) return { path, text };
    if (dirname(at) === at) return undefined;
  }
}

/**
 * NAME=value lines as in a shell: quotes around a value, a comment behind it. The file is also other programs': what
 * this does not understand is theirs.
 */
function linesOf(text: string): { name: string; value: string; literal: boolean }[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const [, name, rest = ""] = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*)$/.exec(line) ?? [];
    if (name === undefined) return [];
    const [, single, double] = /^(?:'([^']*)'|"([^"]*)")/.exec(rest) ?? [];
    const value = single ?? double ?? rest.replace(/(?:^|\s+)#.*$/, "").trim();
    return [{ name, value, literal: single !== undefined }];
  });
}

/** $NAME and ${NAME} of the environment, or of a line above. */
function expanded(value: string, known: ReadonlyMap<string, string | undefined>): string {
  return value.replaceAll(
    /\$\{(\w+)\}|\$(\w+)/g,
    (_, braced?: string, plain?: string) => known.get(braced ?? plain ?? "") ?? "",
  );
}
