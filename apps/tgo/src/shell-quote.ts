/** The command line that would run the same again, quoted for a POSIX shell. */
export function sameCommand(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): string {
  const name = env.npm_command === "exec" ? "npx --no-install tgo" : "tgo";
  return [name, ...argv.map(quote)].join(" ");
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
