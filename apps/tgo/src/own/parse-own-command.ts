import { nearestName } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import { parseArgs } from "node:util";
import { wrapped } from "../doc-text.js";
import { requireText, splitList } from "../flag-values.js";
import type { OwnCommand, OwnFlag } from "../own-commands.js";
import { unknownValue } from "../unknown-value.js";

/** A parsed command line of a command of our own. */
export interface OwnInvocation {
  readonly own: string;
  readonly words: readonly string[];
  readonly flags: Readonly<Record<string, string | boolean | readonly string[]>>;
}

interface Naming {
  readonly name: string;
}

/** @throws TgoError USAGE naming the nearest flag or word */
export function parseOwnCommand(own: OwnCommand, argv: readonly string[], { name }: Naming): OwnInvocation {
  const known = own.flags ?? [];
  const help = { remedy: `Run ${name} ${own.name} --help for the flags.` };
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: Object.fromEntries(
        known.map(({ flag, takes, multiple = false }) => [
          flag,
          { type: takes === undefined ? "boolean" : "string", multiple } as const,
        ]),
      ),
    });
  } catch (error) {
    const [, flag] = /'(?:-\w, )?--?([\w-]+)/.exec((error as Error).message) ?? [];
    const names = known.map((each) => each.flag);
    const nearest = flag === undefined || names.includes(flag) ? undefined : nearestName(flag, names);
    const what =
      flag === undefined
        ? (error as Error).message
        : names.includes(flag)
          ? `--${flag} ${known.find((each) => each.flag === flag)?.takes === undefined ? "takes no value" : "needs a value"}`
          : `unknown option "--${flag}"${nearest === undefined ? "" : `. Did you mean --${nearest}?`}`;
    throw new TgoError("USAGE", what, help);
  }
  const { most = 0, known: words } = own.words ?? {};
  const [word] = parsed.positionals;
  if (words !== undefined && !words.includes(word ?? "")) {
    const nearest = word === undefined ? undefined : nearestName(word, words);
    const hint = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
    const what =
      word === undefined
        ? `${own.name} needs one of: ${words.join(", ")}`
        : `${own.name} has no "${word}"${hint}`;
    throw new TgoError("USAGE", what, { remedy: `Usage: ${name} ${own.usage}` });
  }
  const extra = parsed.positionals[most];
  if (extra !== undefined) throw new TgoError("USAGE", `too many arguments: "${extra}"`, help);
  return {
    own: own.name,
    words: parsed.positionals.map((each) => requireText(own.name, each)),
    flags: Object.fromEntries(
      known.flatMap((flag) => {
        const value = parsed.values[flag.flag];
        return value === undefined ? [] : [[flag.flag, valueOf(flag, value as string | boolean | string[])]];
      }),
    ),
  };
}

function valueOf(
  { flag, takes }: OwnFlag,
  value: string | boolean | string[],
): string | boolean | readonly string[] {
  if (typeof value === "boolean") return value;
  if (Array.isArray(value)) return value.flatMap((text) => splitList(flag, text));
  const text = requireText(flag, value);
  if (Array.isArray(takes) && !takes.includes(text)) throw unknownValue(flag, text, takes as string[]);
  return text;
}

/** The help of a command of our own. */
export function ownHelp(
  { usage, description, flags = [] }: OwnCommand,
  { name, width }: Naming & { readonly width: number },
): string {
  const rows = flags.map((each) => [`--${each.flag}${placeholder(each)}`, describe(each)] as const);
  const longest = Math.max(0, ...rows.map(([flag]) => flag.length));
  const list = rows.flatMap(([flag, text]) =>
    wrapped(text, width - longest - 4).map(
      (line, index) => `  ${(index === 0 ? flag : "").padEnd(longest)}  ${line}`,
    ),
  );
  const shown = list.length === 0 ? "" : `\nFlags:\n${list.join("\n")}\n`;
  return `Usage: ${name} ${usage}${flags.length === 0 ? "" : " [flags]"}\n\n${description}.\n${shown}`;
}

function placeholder({ takes, multiple = false }: OwnFlag): string {
  if (takes === undefined) return "";
  const word = typeof takes === "string" ? takes : "value";
  return ` <${word}${multiple ? ",..." : ""}>`;
}

function describe({ description, takes }: OwnFlag): string {
  return Array.isArray(takes)
    ? `${description} [one of: ${takes.join(", ")}] [default: ${String(takes[0])}]`
    : description;
}
