import { TgoError } from "@tgo/errors";
import { CommanderError, Option, type Command } from "commander";
import { completion } from "./completion.js";
import { explain, type Language } from "./explain.js";
import { OWN_COMMANDS } from "./own-commands.js";
import { ownHelp, parseOwnCommand, type OwnInvocation } from "./own/parse-own-command.js";
import { placeholder, requireText, type FlagValues, type Scalar } from "./flag-values.js";
import { rewriteSwitches } from "./flags.js";
import { positionalOf, returnsFolder, type ModuleFunction } from "./module-api.js";
import { buildProgram, type ProgramOptions } from "./program.js";
import { PROGRESS_MODES } from "./progress/display.js";
import { parseEngineFlags, type EngineFlags } from "./platform-engines.js";
import type { Settings } from "./settings.js";
import { extraWords, usageError } from "./usage-error.js";

/** A parsed command line, checked as far as possible without touching anything. */
export interface Invocation {
  readonly function: ModuleFunction;
  readonly values: FlagValues;
  /** The origin of values that were not typed, by the argument's name. */
  readonly origins: ReadonlyMap<string, string>;
  readonly settings: Settings;
}

/** Help or the version was written. */
export interface Shown {
  readonly shown: true;
  /** False when help was shown because no function was named. */
  readonly requested: boolean;
}

export interface CommandLineOptions extends ProgramOptions {
  /** Of `explain`; everything else is English. */
  readonly language?: Language;
  readonly version: string;
}

/**
 * Parses a command line.
 * @throws TgoError USAGE naming the nearest flag, function or value
 */
export function parseCommandLine(
  typed: readonly string[],
  given: CommandLineOptions,
): Invocation | OwnInvocation | Shown {
  const argv = withoutAll(typed);
  const options = argv.length === typed.length ? given : { ...given, showsAll: true };
  const { moduleApi } = options;
  const own = ownCommand(argv, options);
  if (typeof own === "string") {
    options.writeOut(own);
    return { shown: true, requested: true };
  }
  if (own !== undefined) return own;
  // The command's own --version only when it stands alone: functions have a --version too, and a misspelt function
  // name in front of one must fail.
  if (argv.length === 1 && argv[0] === "--version") {
    options.writeOut(`${options.version}\n`);
    return { shown: true, requested: true };
  }
  let invoked: { function: ModuleFunction; command: Command } | undefined;
  const program = buildProgram(options, (fn, command) => {
    invoked = { function: fn, command };
  });
  const names = new Set(moduleApi.functions.map(({ command }) => command));
  // For the help text.
  if (!argv.some((word) => names.has(word) || word.startsWith("--version"))) {
    program.addOption(new Option("--version", "Print the version.").helpGroup("Flags:"));
  }
  // For an unknown function, commander would show the program's help and succeed.
  program.on("beforeHelp", () => {
    const word = program.args.find((each) => each !== "help");
    if (word === undefined || word.startsWith("-")) return;
    throw new CommanderError(1, "commander.unknownCommand", `error: unknown command '${word}'`);
  });
  try {
    program.parse(rewriteSwitches(argv, moduleApi), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === "commander.helpDisplayed") return { shown: true, requested: true };
    if (error.code === "commander.help") return { shown: true, requested: error.exitCode === 0 };
    throw usageError(error, argv, options);
  }
  if (invoked === undefined) throw new Error("commander ran no action");
  return readInvocation(invoked.function, invoked.command, options);
}

/** `--help all`, `help publish all`: without the word, which commander would take for a function's. */
function withoutAll(argv: readonly string[]): readonly string[] {
  const asksForHelp = argv[0] === "help" || argv.some((word) => word === "--help" || word === "-h");
  return asksForHelp && argv.at(-1) === "all" ? argv.slice(0, -1) : argv;
}

/** What the command does without the module. */
function ownCommand(
  [name, ...words]: readonly string[],
  options: CommandLineOptions,
): string | OwnInvocation | undefined {
  if (options.moduleApi.functions.some(({ command }) => command === name)) return undefined;
  if (name === "explain" && !isHelp(words))
    return explain(words, { width: options.width, language: options.language ?? "en" });
  if (name === "completion" && !isHelp(words)) return completion(words, options.moduleApi);
  const own = OWN_COMMANDS.find((each) => each.name === name && each.name !== "help");
  if (own === undefined) return undefined;
  return isHelp(words) || own.flags === undefined
    ? ownHelp(own, options)
    : parseOwnCommand(own, words, options);
}

function isHelp(words: readonly string[]): boolean {
  return words.some((word) => word === "--help" || word === "-h");
}

type Typed = Record<string, Scalar | Scalar[] | undefined>;

/** The words without a flag, as the value of the argument that they are for. */
function positionalValues(fn: ModuleFunction, command: Command): Typed {
  const positional = positionalOf(fn);
  if (positional === undefined || command.args.length === 0) return {};
  const { flag, type } = positional.argument;
  const words = command.args.map((word) => requireText(flag, word));
  const name = new Option(`--${flag}`).attributeName();
  const { [name]: given } = command.opts<Typed>();
  if (type.kind === "list") return { [name]: [...words, ...[given ?? []].flat()] };
  if (given === undefined) return { [name]: words[0] };
  throw new TgoError("USAGE", `${fn.command} takes one ${flag}, and "${words[0] ?? ""}" is a second one`, {
    remedy: `Give it with --${flag} or without, not both.`,
  });
}

function readInvocation(
  fn: ModuleFunction,
  command: Command,
  { moduleApi, name }: ProgramOptions,
): Invocation {
  if (positionalOf(fn) === undefined && command.args.length > 0)
    throw extraWords(fn, command.args, { moduleApi, name });
  const typed = { ...command.optsWithGlobals<Typed>(), ...positionalValues(fn, command) };
  // Checked here because commander would report a missing flag before a misspelt one.
  const missing = fn.arguments.filter(
    ({ optional, flag }) => !optional && typed[new Option(`--${flag}`).attributeName()] === undefined,
  );
  if (missing.length > 0) {
    const flags = missing.map(({ flag, type }) => `--${flag} <${placeholder(type)}>`).join(", ");
    throw new TgoError("USAGE", `${fn.command} needs ${flags}`, {
      remedy: `Run ${name} ${fn.command} --help for the flags.`,
    });
  }
  if (returnsFolder(fn) && typed.output === undefined)
    throw new TgoError("USAGE", `${fn.command} needs --output <folder>`, {
      remedy: `Run ${name} ${fn.command} --help for the flags.`,
    });
  const values = new Map<string, Scalar | Scalar[]>();
  for (const argument of [...moduleApi.constructor.arguments, ...fn.arguments]) {
    const value = typed[new Option(`--${argument.flag}`).attributeName()];
    if (value !== undefined) values.set(argument.name, value);
  }
  const text = (option: string): string | undefined => {
    const value = typed[option];
    return typeof value === "string" ? value : undefined;
  };
  return {
    function: fn,
    values,
    origins: new Map(),
    settings: {
      ...engineFlags(fn, [typed.engine ?? []].flat().map(String)),
      progress: PROGRESS_MODES.find((each) => each === text("progress")) ?? "auto",
      verbose: typed.verbose === true,
      output: text("output"),
      reports: [typed.report ?? []].flat().map(String),
      caBundle: text("caBundle"),
      signingCommand: text("signingCommand"),
      signingPublicKey: text("signingPublicKey"),
    },
  };
}

/** @throws TgoError USAGE for engines of single platforms where no image is assembled */
function engineFlags(fn: ModuleFunction, values: readonly string[]): EngineFlags {
  const flags = parseEngineFlags(values);
  const [first] = flags.engines;
  if (first === undefined || fn.arguments.some(({ name }) => name === "assemble")) return flags;
  throw new TgoError(
    "USAGE",
    `${fn.command} has one engine, and --engine names one of ${first.platform} alone`,
    {
      remedy: "Only publish and release take an engine for each platform.",
    },
  );
}
