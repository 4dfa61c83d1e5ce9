import { isTgoError, problemOf, TgoError } from "@tgo/errors";
import { misspeltName } from "@tgo/catalog";
import { isLoopback } from "@tgo/registry";
import type { CommandProcess } from "./command-process.js";
import { readDotEnv } from "./dot-env.js";
import { type FlagValues, parseScalar, requireText, splitList, type Scalar } from "./flag-values.js";
import type { Argument, ModuleApi } from "./module-api.js";

/** A flag's value from the environment. */
export interface Default {
  readonly value: Scalar | readonly Scalar[];
  /** Its origin, for messages: "TGO_CATALOG", "TGO_CATALOG in /home/me/.env". */
  readonly from: string;
}

/**
 * Defaults of the module's constructor flags that were not given: TGO_<NAME> in the environment, else in the nearest .env file. The dagger
 * command reads the same file, but accepts only names without underscores: TGO_BASELOCK. Here TGO_BASE_LOCK works too.
 * A file says less than the environment: it may have come with a source, so it names no commands and no connections.
 * @param onIgnored called once for everything in a file that is not used, naming the file and the variable, and for
 *   variables with a misspelt name
 * @throws TgoError USAGE for a value that the flag does not accept, and for an empty one
 */
export async function readDefaults(
  moduleApi: ModuleApi,
  { env, cwd, given }: Pick<CommandProcess, "env" | "cwd"> & { readonly given: FlagValues },
  onIgnored: (ignored: TgoError) => void,
): Promise<ReadonlyMap<string, Default>> {
  const argumentOf = (variable: string): Argument | undefined => {
    const name = nameOf(variable, moduleApi);
    return moduleApi.constructor.arguments.find((each) => each.name.toLowerCase() === name);
  };
  const found = new Map<Argument, { text: string; from: string }>();
  for (const [variable, text] of Object.entries(env)) {
    const argument = argumentOf(variable);
    if (argument === undefined || text === undefined || found.has(argument)) continue;
    found.set(argument, { text, from: variable });
  }
  const isOurs = (variable: string): boolean => argumentOf(variable) !== undefined;
  const file = await readDotEnv(cwd, { env, isOurs, onIgnored });
  for (const { name: variable, value: text } of file?.variables ?? []) {
    const argument = argumentOf(variable);
    if (argument === undefined || found.has(argument)) continue;
    const problem = text.trim() === "" ? undefined : fileProblem(argument, text);
    if (problem === undefined) found.set(argument, { text, from: `${variable} in ${file?.path ?? ""}` });
    else
      onIgnored(
        new TgoError("USAGE", `ignored ${variable}: ${problem.reason}`, {
          ...problem,
          where: file?.path ?? "",
        }),
      );
  }
  for (const variable of [...Object.keys(env), ...(file?.variables ?? []).map(({ name }) => name)]) {
    const meant = argumentOf(variable) === undefined ? misspeltVariable(variable, moduleApi) : undefined;
    if (meant !== undefined)
      onIgnored(new TgoError("USAGE", `warning: ignored ${variable}; did you mean ${meant}?`));
  }
  return new Map(
    [...found]
      .filter(([{ name }]) => !given.has(name))
      .map(([argument, { text, from }]) => [
        argument.name,
        { value: valueFrom(from, argument, text, moduleApi), from },
      ]),
  );
}

/** @throws TgoError USAGE that names the variable instead of the flag */
function valueFrom(
  from: string,
  argument: Argument,
  text: string,
  moduleApi: ModuleApi,
): Scalar | readonly Scalar[] {
  try {
    requireText(argument.flag, text);
    return parseValue(argument, text, moduleApi);
  } catch (error) {
    if (!isTgoError(error)) throw error;
    const what = error.what.replace(`--${argument.flag}`, from);
    throw new TgoError(error.code, what, { ...problemOf(error), cause: error });
  }
}

/** The lower-case name of the argument that a variable is for, if any: "baselock". */
function nameOf(variable: string, { name }: ModuleApi): string | undefined {
  const prefix = `${name}_`;
  if (!variable.toLowerCase().startsWith(prefix)) return undefined;
  return variable.slice(prefix.length).replaceAll("_", "").toLowerCase();
}

/**
 * The variable that was probably meant. Variables of TGO itself have the same prefix: `TGO_PLATFORM_URL` is one of its
 * service "platform", not a misspelt `TGO_PLATFORM`.
 */
function misspeltVariable(variable: string, moduleApi: ModuleApi): string | undefined {
  const name = nameOf(variable, moduleApi);
  if (name === undefined) return undefined;
  const known = moduleApi.constructor.arguments.map((argument) => argument.name.toLowerCase());
  const [first = ""] = variable
    .slice(moduleApi.name.length + 1)
    .toLowerCase()
    .split("_");
  if (known.includes(first)) return undefined;
  const meant = misspeltName(name, known);
  return meant === undefined ? undefined : `${moduleApi.name}_${meant}`.toUpperCase();
}

/** Why a file may not give the flag this value. The reason never quotes the value. */
function fileProblem({ flag, type }: Argument, text: string): { reason: string; remedy: string } | undefined {
  const object = type.kind === "list" ? type.of?.name : type.name;
  const items = type.kind === "list" ? splitList(flag, text) : [text];
  if (object === "Secret" && items.some((item) => !isFileOrVariable(item))) {
    return {
      reason: "a .env file can name a secret only by file:PATH or env:NAME",
      remedy: `For a command or another provider, pass --${flag} or set the variable in the environment.`,
    };
  }
  if (object === "Service" && items.some((item) => !isOnThisMachine(item))) {
    return {
      reason: "a .env file can connect a registry, which gets its credentials, only to this machine",
      remedy: `For another one, pass --${flag} or set the variable in the environment.`,
    };
  }
  return undefined;
}

/** A path may stand alone; a single letter before a colon is a drive of Windows. */
function isFileOrVariable(source: string): boolean {
  const [, scheme] = /^\s*([A-Za-z][\w+.-]+):/.exec(source) ?? [];
  return scheme === undefined || scheme === "file" || scheme === "env";
}

function isOnThisMachine(address: string): boolean {
  return isLoopback(address.replace(/^tcp:\/\//, "").replace(/\/$/, ""));
}

function parseValue(argument: Argument, text: string, { enums }: ModuleApi): Scalar | Scalar[] {
  const { type } = argument;
  if (type.kind === "boolean") return text === "true" || text === "1";
  if (type.kind !== "list") return parseScalar(argument, type, text, enums);
  const item = type.of ?? { kind: "string" };
  return splitList(argument.flag, text).map((each) => parseScalar(argument, item, each, enums));
}
