import { flagWords, shellQuote, type Flags } from "@tgo/errors";
import type { CommandProcess } from "./command-process.js";
import type { Invocation } from "./command-line.js";
import type { ModuleApi } from "./module-api.js";

/** The command line that runs the same again, quoted for a POSIX shell. */
export function sameCommand({ name, argv, env }: Pick<CommandProcess, "name" | "argv" | "env">): string {
  return [startedBy({ name, env }), ...argv.map(shellQuote)].join(" ");
}

/**
 * The start of other functions' command lines, with the typed flags of every function: without them, a command would
 * mean other registries. Flags from the environment are there again.
 */
export function commandStart(
  process: Pick<CommandProcess, "name" | "env">,
  { values, origins, settings }: Invocation,
  { constructor }: ModuleApi,
): string {
  const typed = constructor.arguments.filter(({ name }) => values.has(name) && !origins.has(name));
  const { engine, caBundle } = settings;
  const flags: Flags = {
    ...(engine === "auto" ? {} : { engine }),
    ...(caBundle === undefined ? {} : { "ca-bundle": caBundle }),
    ...Object.fromEntries(typed.map(({ name, flag }) => [flag, values.get(name)])),
  };
  return [startedBy(process), flagWords(flags)].filter((part) => part !== "").join(" ");
}

/** How this program was started: `npx --no-install tgo`, or by its name alone. */
export function startedBy({ name, env }: Pick<CommandProcess, "name" | "env">): string {
  return env.npm_command === "exec" ? `npx --no-install ${name}` : name;
}
