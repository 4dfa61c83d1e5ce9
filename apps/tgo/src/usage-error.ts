import { nearestName } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import type { CommanderError } from "commander";
import type { ModuleApi } from "./module-api.js";

/** Turns commander's error into a TgoError with the nearest name and the help to read. */
export function usageError(
  error: CommanderError,
  argv: readonly string[],
  { moduleApi, name }: { readonly moduleApi: ModuleApi; readonly name: string },
): TgoError {
  const names = moduleApi.functions.map(({ command }) => command);
  const what = error.message
    .replace(/^error: /, "")
    .replace(/\n\((Did you mean .*)\)$/, ". $1")
    .replaceAll(/'(--[\w-]+) <[^']*>'/g, "$1")
    .replaceAll("'", '"');
  if (error.code === "commander.unknownCommand") {
    const nearest = nearestName(/"(.*)"/.exec(what)?.[1] ?? "", names);
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
  const help = [name, fn, "--help"].filter((word) => word !== undefined).join(" ");
  return new TgoError("USAGE", what, { remedy: `Run ${help} for the flags.` });
}
