import { Option, type Command } from "commander";
import { unknownValue } from "./unknown-value.js";
import { PROGRESS_MODES } from "./progress/display.js";
import { parseEngineFlags } from "./platform-engines.js";
import { ENGINES } from "./settings.js";
import type { Argument, ModuleApi, ModuleFunction } from "./module-api.js";
import {
  parseScalar,
  placeholder as placeholderOf,
  requireText,
  splitList,
  type Scalar,
} from "./flag-values.js";

/** Adds a module argument as a flag; a switch also gets its --no- form. */
export function addFlag(command: Command, argument: Argument, moduleApi: ModuleApi, group: string): void {
  command.addOption(flagOf(argument, moduleApi).helpGroup(group));
  if (argument.type.kind === "boolean") command.addOption(new Option(`--no-${argument.flag}`).hideHelp());
}

function flagOf(argument: Argument, moduleApi: ModuleApi): Option {
  const { flag, type } = argument;
  const name = type.kind === "boolean" ? `--${flag}` : `--${flag} <${placeholderOf(type)}>`;
  const option = new Option(name, describe(argument, moduleApi));
  if (type.kind === "list") {
    const item = type.of ?? { kind: "string" };
    option.argParser((text: string, previous: Scalar[] | undefined) => [
      ...(previous ?? []),
      ...splitList(flag, text).map((each) => parseScalar(argument, item, each, moduleApi.enums)),
    ]);
  } else if (type.kind !== "boolean") {
    option.argParser((text: string) => parseScalar(argument, type, text, moduleApi.enums));
  }
  return option;
}

function describe(argument: Argument, moduleApi: ModuleApi): string {
  const { type } = argument;
  const parts = [argument.description.trim().replaceAll(/\s*\n\s*/g, " ")];
  const innermost = type.kind === "list" ? type.of : type;
  if (innermost?.kind === "enum") {
    const values = (moduleApi.enums[innermost.name ?? ""]?.values ?? []).map(({ value }) => value);
    const isListed = values.every((value) => argument.description.includes(value));
    if (!isListed) parts.push(`[one of: ${values.join(", ")}]`);
  }
  if (innermost?.name === "Secret") parts.push("[file:PATH, env:NAME, cmd:COMMAND or a path]");
  if (argument.name === "dockerConfig") {
    parts.push("[default: $DOCKER_CONFIG/config.json or ~/.docker/config.json, credential helpers included]");
  } else if (argument.name === "caBundle") {
    parts.push("[default: $TGO_CA_BUNDLE, else $NODE_EXTRA_CA_CERTS]");
  } else if (argument.name === "revision" || argument.name === "created") {
    parts.push("[default: the checkout's commit, if its files are unchanged]");
  } else if (argument.contextual !== undefined) {
    parts.push("[default: the checkout around the current folder]");
  } else if (argument.default !== undefined && argument.default !== null && !isEmpty(argument.default)) {
    parts.push(`[default: ${defaultText(argument, moduleApi)}]`);
  }
  if (!argument.optional) parts.push("[required]");
  return parts.filter((part) => part !== "").join(" ");
}

const isEmpty = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

function defaultText(argument: Argument, moduleApi: ModuleApi): string {
  const value = argument.default;
  if (value === true) return `true; disable with --no-${argument.flag}`;
  if (typeof value !== "string") return JSON.stringify(value);
  if (argument.type.kind !== "enum") return value;
  const known = moduleApi.enums[argument.type.name ?? ""]?.values ?? [];
  return known.find((each) => each.name === value)?.value ?? value;
}

export function helpFlag(description: string): Option {
  return new Option("-h, --help", description).helpGroup("Flags:");
}

/** The flag for report files, of functions that make a report. */
export function reportFlag(): Option {
  return new Option(
    "--report <file,...>",
    "Also write the report to a file, even on failure: .html, .md, .json or .txt.",
  )
    .helpGroup("Flags:")
    .argParser((text: string, previous: string[] | undefined) => [
      ...(previous ?? []),
      ...splitList("report", text),
    ]);
}

/** Flags of functions that sign: a module has no programs of its caller's. */
export function signingFlags({ arguments: own }: ModuleFunction): Option[] {
  if (!own.some(({ name }) => name === "signingKey")) return [];
  return [
    textFlag(
      "signing-command",
      "Program that signs, such as a key management service's: it gets a SHA-256 digest on its standard input and in the place of {digest}, and prints the signature.",
      "command",
    ),
    textFlag("signing-public-key", "Public half (PEM) of the key that --signing-command signs with."),
  ].map((option) => option.helpGroup("Flags:"));
}

/** The command's own flags. */
export function ownFlags(): Option[] {
  return [
    new Option(
      "--engine <engine>",
      "Engine that runs the containers; buildah is the former name of local. For publish and release also the engine of " +
        `one platform, such as linux/arm64=tcp://arm:1234. [one of: ${ENGINES.join(", ")}, PLATFORM=ADDRESS] [default: auto]`,
    ).argParser((text: string, previous: string[] | undefined) => {
      const values = [...(previous ?? []), ...splitList("engine", text)];
      parseEngineFlags(values);
      return values;
    }),
    choice("progress", PROGRESS_MODES, "auto", "Progress display on stderr."),
    textFlag(
      "ca-bundle",
      "CA certificates (PEM) for build steps. [default: $TGO_CA_BUNDLE, else $NODE_EXTRA_CA_CERTS]",
    ),
    new Option("--verbose", "Also print the engine's log lines, and stack traces."),
  ];
}

/** A flag that names a file, or something else. */
export function textFlag(flag: string, description: string, placeholder = "file"): Option {
  return new Option(`--${flag} <${placeholder}>`, description).argParser((text: string) =>
    requireText(flag, text),
  );
}

function choice(flag: string, values: readonly string[], fallback: string, description: string): Option {
  return new Option(
    `--${flag} <${flag}>`,
    `${description} [one of: ${values.join(", ")}] [default: ${fallback}]`,
  ).argParser((text: string) => {
    requireText(flag, text);
    if (!values.includes(text)) throw unknownValue(flag, text, values);
    return text;
  });
}

/** Rewrites `--flag=true` and `--flag=false`, as the dagger command takes them, for commander. */
export function rewriteSwitches(argv: readonly string[], moduleApi: ModuleApi): string[] {
  const all = [...moduleApi.constructor.arguments, ...moduleApi.functions.flatMap((fn) => fn.arguments)];
  const switches = new Set(all.filter(({ type }) => type.kind === "boolean").map(({ flag }) => flag));
  return argv.flatMap((word) => {
    const match = /^--([a-z-]+)=(true|false)$/.exec(word);
    if (match?.[1] === undefined || !switches.has(match[1])) return [word];
    return [match[2] === "true" ? `--${match[1]}` : `--no-${match[1]}`];
  });
}
