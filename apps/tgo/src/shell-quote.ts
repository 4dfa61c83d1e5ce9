import { shellQuote } from "@tgo/host";
import type { CommandProcess } from "./command-process.js";

/** The command line that runs the same again, quoted for a POSIX shell. */
export function sameCommand({ name, argv, env }: Pick<CommandProcess, "name" | "argv" | "env">): string {
  return [startedBy({ name, env }), ...argv.map(shellQuote)].join(" ");
}

/** How this program was started: `npx --no-install tgo`, or by its name alone. */
export function startedBy({ name, env }: Pick<CommandProcess, "name" | "env">): string {
  return env.npm_command === "exec" ? `npx --no-install ${name}` : name;
}
