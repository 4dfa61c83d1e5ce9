import type { CommandProcess } from "./command-process.js";

/** The command line that runs the same again, quoted for a POSIX shell. */
export function sameCommand({ name, argv, env }: Pick<CommandProcess, "name" | "argv" | "env">): string {
  const command = env.npm_command === "exec" ? `npx --no-install ${name}` : name;
  return [command, ...argv.map(quote)].join(" ");
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
