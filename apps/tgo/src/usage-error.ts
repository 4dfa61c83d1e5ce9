import { nearestName } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import type { CommanderError } from "commander";
import { ownFlags, reportFlag, signingFlags } from "./flags.js";
import { OWN_COMMANDS, SYNONYMS } from "./own-commands.js";
import type { ModuleApi, ModuleFunction } from "./module-api.js";

/** Turns commander's error into a TgoError with the nearest name and the help to read. */
export function usageError(
  error: CommanderError,
  argv: readonly string[],
  { moduleApi, name }: { readonly moduleApi: ModuleApi; readonly name: string },
): TgoError {
  const names = moduleApi.functions.map(({ command }) => command);
  const what = error.message
    .replace(/^error: /, "")
    .replace(/\n\(Did you mean [^]*\)$/, "")
    .replaceAll(/'(--[\w-]+) <[^']*>'/g, "$1")
    .replaceAll("'", '"');
  if (error.code === "commander.unknownCommand") {
    const typed = /"(.*)"/.exec(what)?.[1] ?? "";
    const synonym = SYNONYMS[typed.toLowerCase()];
    const known = [...names, ...OWN_COMMANDS.map((own) => own.name)];
    const nearest = synonym !== undefined && known.includes(synonym) ? synonym : nearestName(typed, known);
    const hint = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
    return new TgoError("USAGE", `${what.replace("command", "function")}${hint}`, {
      remedy: `Functions: ${names.join(", ")}. Run ${name} --help for details.`,
    });
  }
  const flag = /^unknown option "(--[\w-]+)/.exec(what)?.[1];
  const at = argv.findIndex((word) => word.split("=")[0] === flag);
  const takers = moduleApi.functions.filter((fn) => fn.arguments.some((each) => `--${each.flag}` === flag));
  if (takers.length > 0 && !argv.slice(0, at).some((word) => names.includes(word))) {
    return new TgoError("USAGE", `${flag ?? ""} must come after the name of a function that takes it`, {
      remedy: `These do: ${takers.map(({ command }) => command).join(", ")}. Run ${name} --help for details.`,
    });
  }
  const fn = argv.find((word) => names.includes(word));
  if (takers.length > 0 && fn !== undefined) {
    const others = takers.map(({ command }) => command).join(", ");
    return new TgoError("USAGE", `${fn} does not take ${flag ?? ""}`, {
      remedy: `These do: ${others}. Run ${name} ${fn} --help for its flags.`,
    });
  }
  const nearest = flag === undefined ? undefined : nearestFlag(flag, moduleApi, fn);
  const hint = nearest === undefined ? "" : `. Did you mean --${nearest}?`;
  const help = [name, fn, "--help"].filter((word) => word !== undefined).join(" ");
  // A flag of tgo's own that belongs to other functions.
  const isOthers = nearest !== undefined && `--${nearest}` === flag && fn !== undefined;
  const problem = isOthers ? `${fn} does not take ${flag}` : `${what}${hint}`;
  return new TgoError("USAGE", problem, { remedy: `Run ${help} for the flags.` });
}

/** The error for words without a flag, for a function that takes none: most people mean a service. */
export function extraWords(
  fn: ModuleFunction,
  words: readonly string[],
  { moduleApi, name }: { readonly moduleApi: ModuleApi; readonly name: string },
): TgoError {
  const what = `too many arguments: ${fn.command} takes no words without a flag, such as "${words.join(" ")}"`;
  const all = [...fn.arguments, ...moduleApi.constructor.arguments].map(({ flag }) => flag);
  const [first = "", second] = words;
  const forgotten = nearestName(first.replace(/^-+/, ""), all);
  const meant =
    forgotten !== undefined && second !== undefined
      ? `--${forgotten} ${second}`
      : all.includes("service")
        ? `--service ${words.join(",")}`
        : undefined;
  return new TgoError("USAGE", meant === undefined ? what : `${what}; did you mean "${meant}"?`, {
    remedy:
      meant === undefined
        ? `Run ${name} ${fn.command} --help for the flags.`
        : `${name} ${fn.command} ${meant}`,
  });
}

/** Commander knows only the flags that help shows. */
function nearestFlag(flag: string, moduleApi: ModuleApi, command: string | undefined): string | undefined {
  const fn = moduleApi.functions.find((each) => each.command === command);
  const own = [...ownFlags(), ...(fn === undefined ? [] : signingFlags(fn)), reportFlag()].map(
    (option) => option.long?.slice(2) ?? "",
  );
  const shared = moduleApi.constructor.arguments.map((argument) => argument.flag);
  const known = [
    ...(fn?.arguments.map((argument) => argument.flag) ?? []),
    ...shared,
    ...own,
    "output",
    "help",
  ];
  return nearestName(flag.slice(2), known);
}
