import { Option, type Command } from "commander";
import { unknownValue } from "./nearest.js";
import { PROGRESS_MODES } from "./progress/display.js";
import { ENGINES } from "./settings.js";
import type { Argument, ModuleApi } from "./module-api.js";
import { parseScalar, placeholder, splitList, type Scalar } from "./value.js";

/** Adds an argument of the module as a flag; a switch can be turned off as well. */
export function addFlag(command: Command, argument: Argument, surface: ModuleApi, group: string): void {
  command.addOption(flagOf(argument, surface).helpGroup(group));
  if (argument.type.kind === "boolean") command.addOption(new Option(`--no-${argument.flag}`).hideHelp());
}

/** A flag of the module. */
function flagOf(argument: Argument, surface: ModuleApi): Option {
  const { flag, type } = argument;
  const name = type.kind === "boolean" ? `--${flag}` : `--${flag} <${placeholder(type)}>`;
  const option = new Option(name, describe(argument, surface));
  if (type.kind === "list") {
    const item = type.of ?? { kind: "string" };
    option.argParser((text: string, previous: Scalar[] | undefined) => [
      ...(previous ?? []),
      ...splitList(text).map((each) => parseScalar(argument, item, each, surface.enums)),
    ]);
  } else if (type.kind !== "boolean") {
    option.argParser((text: string) => parseScalar(argument, type, text, surface.enums));
  }
  return option;
}

function describe(argument: Argument, surface: ModuleApi): string {
  const { type } = argument;
  const parts = [argument.description.trim().replaceAll(/\s*\n\s*/g, " ")];
  const innermost = type.kind === "list" ? type.of : type;
  if (innermost?.kind === "enum") {
    const values = (surface.enums[innermost.name ?? ""]?.values ?? []).map(({ value }) => value);
    const said = values.every((value) => argument.description.includes(value));
    if (!said) parts.push(`[one of: ${values.join(", ")}]`);
  }
  if (innermost?.name === "Secret") parts.push("[file:PATH, env:NAME, cmd:COMMAND or a path]");
  if (argument.name === "dockerConfig") {
    parts.push("[default: $DOCKER_CONFIG/config.json or ~/.docker/config.json, credential helpers included]");
  } else if (argument.name === "caBundle") {
    parts.push("[default: $TGO_CA_BUNDLE, else $NODE_EXTRA_CA_CERTS]");
  } else if (argument.name === "revision" || argument.name === "created") {
    parts.push("[default: the checkout's commit, when its files are unchanged]");
  } else if (argument.contextual !== undefined) {
    parts.push("[default: the checkout around the current folder]");
  } else if (argument.default !== undefined && argument.default !== null) {
    parts.push(`[default: ${defaultText(argument, surface)}]`);
  }
  if (!argument.optional) parts.push("[required]");
  return parts.filter((part) => part !== "").join(" ");
}

function defaultText(argument: Argument, surface: ModuleApi): string {
  const value = argument.default;
  if (value === true) return `true; --no-${argument.flag} turns it off`;
  if (typeof value !== "string") return JSON.stringify(value);
  if (argument.type.kind !== "enum") return value;
  const known = surface.enums[argument.type.name ?? ""]?.values ?? [];
  return known.find((each) => each.name === value)?.value ?? value;
}

export function helpFlag(description: string): Option {
  return new Option("-h, --help", description).helpGroup("Flags:");
}

/** Where else a report goes, of the functions that make one. */
export function reportFlag(): Option {
  return new Option(
    "--report <file,...>",
    "also write the report there, when the function fails as well: .html, .md, .json or .txt",
  )
    .helpGroup("Flags:")
    .argParser((text: string, previous: string[] | undefined) => [...(previous ?? []), ...splitList(text)]);
}

/** The flags that are the command's own. */
export function ownFlags(): Option[] {
  return [
    choice(
      "engine",
      ENGINES,
      "auto",
      "what builds: Dagger's engine, or the one that comes with this command",
    ),
    choice("progress", PROGRESS_MODES, "auto", "how to show what is going on, on stderr"),
    new Option(
      "--ca-bundle <file>",
      "CA certificates (PEM) that build steps trust [default: $TGO_CA_BUNDLE, else $NODE_EXTRA_CA_CERTS]",
    ),
    new Option("--verbose", "also the engine's own lines, and stack traces"),
  ];
}

function choice(flag: string, values: readonly string[], fallback: string, description: string): Option {
  return new Option(
    `--${flag} <${flag}>`,
    `${description} [one of: ${values.join(", ")}] [default: ${fallback}]`,
  ).argParser((text: string) => {
    if (!values.includes(text)) throw unknownValue(flag, text, values);
    return text;
  });
}

/** `--flag=true` and `--flag=false`, as the dagger command spells them, in commander's spelling. */
export function spellSwitches(argv: readonly string[], surface: ModuleApi): string[] {
  const all = [...surface.constructor.arguments, ...surface.functions.flatMap((fn) => fn.arguments)];
  const switches = new Set(all.filter(({ type }) => type.kind === "boolean").map(({ flag }) => flag));
  return argv.flatMap((word) => {
    const match = /^--([a-z-]+)=(true|false)$/.exec(word);
    if (match?.[1] === undefined || !switches.has(match[1])) return [word];
    return [match[2] === "true" ? `--${match[1]}` : `--no-${match[1]}`];
  });
}
