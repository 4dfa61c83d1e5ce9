import stringWidth from "string-width";

/** A word of a POSIX shell's command line, with its quotes; a flag with its value. */
const WORD = /--[\w-]+ (?!-)(?:'[^']*'|"[^"]*"|[^\s'"])+|(?:'[^']*'|"[^"]*"|[^\s'"])+/g;

/** A command in lines that fit, each but the last with the shell's sign that it goes on: it can be copied as it is. */
export function wrapCommand(command: string, prefix: string, width: number): string[] {
  if (command.includes("\n") || stringWidth(prefix + command) <= width) return [prefix + command];
  const lines: string[] = [];
  let current = prefix;
  for (const word of command.match(WORD) ?? []) {
    const isFirst = current === prefix || current === INDENT;
    const longer = isFirst ? current + word : `${current} ${word}`;
    if (!isFirst && stringWidth(longer) > width - 2) {
      lines.push(`${current} \\`);
      current = INDENT + word;
    } else {
      current = longer;
    }
  }
  return [...lines, current];
}

const INDENT = "    ";
