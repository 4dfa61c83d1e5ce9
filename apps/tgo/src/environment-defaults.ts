import type { CommandProcess } from "./command-process.js";
import { readDotEnv } from "./dot-env.js";
import { parseScalar, splitList, type Scalar } from "./flag-values.js";
import type { Argument, ModuleApi } from "./module-api.js";

/** A flag's value from the environment. */
export interface Default {
  readonly value: Scalar | readonly Scalar[];
  /** Its origin, for messages: "TGO_CATALOG", "TGO_CATALOG in /home/me/.env". */
  readonly from: string;
}

/**
 * Defaults of the module's constructor flags: TGO_<NAME> in the environment, else in the nearest .env file. The dagger
 * command reads the same file, but accepts only names without underscores: TGO_BASELOCK. Here TGO_BASE_LOCK works too.
 * @throws TgoError USAGE for a value that the flag does not accept
 */
export async function readDefaults(
  moduleApi: ModuleApi,
  { env, cwd }: Pick<CommandProcess, "env" | "cwd">,
): Promise<ReadonlyMap<string, Default>> {
  const prefix = `${moduleApi.name}_`;
  const found = new Map<string, { text: string; from: string }>();
  const add = (variable: string, text: string | undefined, from: string): void => {
    if (text === undefined || text === "" || !variable.toLowerCase().startsWith(prefix)) return;
    const name = variable.slice(prefix.length).replaceAll("_", "").toLowerCase();
    if (!found.has(name)) found.set(name, { text, from });
  };
  for (const [variable, text] of Object.entries(env)) add(variable, text, variable);
  const file = await readDotEnv(cwd, env);
  for (const { name, value } of file?.variables ?? []) add(name, value, `${name} in ${file?.path ?? ""}`);
  return new Map(
    moduleApi.constructor.arguments.flatMap((argument) => {
      const variable = found.get(argument.name.toLowerCase());
      return variable === undefined
        ? []
        : [
            [
              argument.name,
              { value: parseValue(argument, variable.text, moduleApi), from: variable.from },
            ] as const,
          ];
    }),
  );
}

function parseValue(argument: Argument, text: string, { enums }: ModuleApi): Scalar | Scalar[] {
  const { type } = argument;
  if (type.kind === "boolean") return text === "true" || text === "1";
  if (type.kind !== "list") return parseScalar(argument, type, text, enums);
  const item = type.of ?? { kind: "string" };
  return splitList(text).map((each) => parseScalar(argument, item, each, enums));
}
