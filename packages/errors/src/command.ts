import { TgoError } from "./error.js";

/** A word as a POSIX shell must get it to read it unchanged. */
export function shellQuote(word: string): string {
  return /^[\w@%+:,./…-][\w@%+=:,./…-]*$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** Flags of a command by name, without dashes. A list is repeated; a switch is true or false; undefined: left out. */
export type Flags = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/** A command line for a remedy. Shells name it as their user has to type it: `npx --no-install tgo --catalog … status`. */
export function commandLine(name: string, flags: Flags = {}): string {
  return `tgo ${name} ${flagWords(flags)}`.trimEnd();
}

/** Flags as words of a POSIX shell; empty without a flag. */
export function flagWords(flags: Flags): string {
  return Object.entries(flags)
    .flatMap(([flag, value]) => wordsOfFlag(flag, value))
    .join(" ");
}

/** One flag as words of a POSIX shell. */
export function wordsOfFlag(flag: string, value: Flags[string]): string[] {
  if (value === undefined) return [];
  if (typeof value === "boolean") return [value ? `--${flag}` : `--${flag}=false`];
  if (typeof value === "object") return value.flatMap((item) => [`--${flag}`, shellQuote(listItem(item))]);
  return [`--${flag}`, shellQuote(String(value))];
}

/** An item of a comma-separated list: https://pkg.go.dev/github.com/spf13/pflag#StringSlice */
function listItem(item: string): string {
  return /[",\n\r]|^\s|\s$/.test(item) ? `"${item.replaceAll('"', '""')}"` : item;
}

/** The flag of a function's argument: `docker-config` of `dockerConfig`. */
export function flagOf(argument: string): string {
  return argument.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The error for a flag that was given without a value: it usually is a shell variable that is not set. */
export function emptyFlag(flag: string): TgoError {
  return new TgoError("USAGE", `--${flag} is empty`, {
    remedy: "Give it a value, or leave it out. Is a variable not set?",
  });
}
