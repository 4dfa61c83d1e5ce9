import { TgoError } from "@tgo/errors";
import { Command, CommanderError, Help, Option } from "commander";
import { ENVIRONMENT, EXAMPLES, EXIT_CODES, LISTS, OVERVIEW } from "./help.js";
import { addFlag, helpFlag, ownFlags, reportFlag, spellSwitches } from "./flags.js";
import { nearest } from "./nearest.js";
import { PROGRESS_MODES } from "./progress/display.js";
import { ENGINES, type Settings } from "./settings.js";
import { makesReport, type ModuleFunction, type ModuleApi } from "./module-api.js";
import { placeholder, type Scalar } from "./value.js";

/** What was typed, understood and checked as far as that goes without touching anything. */
export interface Invocation {
  readonly function: ModuleFunction;
  /** By the argument's name; absent when not given. */
  readonly values: ReadonlyMap<string, Scalar | readonly Scalar[]>;
  /** By the argument's name: where a value is from that was not typed. */
  readonly origins: ReadonlyMap<string, string>;
  readonly settings: Settings;
}

/** Help or the version was asked for, and has been written. */
export interface Shown {
  readonly shown: true;
  /** False when it was shown because nothing was asked for. */
  readonly asked: boolean;
}

export interface ProgramOptions {
  readonly surface: ModuleApi;
  readonly version: string;
  readonly writeOut: (text: string) => void;
  readonly writeErr: (text: string) => void;
  /** Columns of the terminal, for help. */
  readonly width: number;
}

/**
 * Reads a command line.
 * @throws TgoError USAGE naming the nearest flag, function or value.
 */
export function parseCommandLine(argv: readonly string[], options: ProgramOptions): Invocation | Shown {
  // The program's own only where it stands alone: functions have a --version, and one whose name is misspelt must fail.
  if (argv.length === 1 && argv[0] === "--version") {
    options.writeOut(`${options.version}\n`);
    return { shown: true, asked: true };
  }
  let invoked: { function: ModuleFunction; command: Command } | undefined;
  const program = buildProgram(options, (fn, command) => {
    invoked = { function: fn, command };
  });
  const names = new Set(options.surface.functions.map(({ command }) => command));
  // For its help.
  if (!argv.some((word) => names.has(word) || word.startsWith("--version"))) {
    program.addOption(new Option("--version", "print the version").helpGroup("Flags:"));
  }
  // Commander would show the program's help, as if it had been asked for.
  program.on("beforeHelp", () => {
    const word = program.args.find((each) => each !== "help");
    if (word === undefined || word.startsWith("-")) return;
    throw new CommanderError(1, "commander.unknownCommand", `error: unknown command '${word}'`);
  });
  try {
    program.parse(spellSwitches(argv, options.surface), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === "commander.helpDisplayed") return { shown: true, asked: true };
    if (error.code === "commander.help") return { shown: true, asked: error.exitCode === 0 };
    throw usageError(error, argv, options.surface);
  }
  if (invoked === undefined) throw new Error("commander ran no action");
  return invocation(invoked.function, invoked.command, options.surface);
}

type Action = (fn: ModuleFunction, command: Command) => void;

function buildProgram(options: ProgramOptions, action: Action): Command {
  const { surface, width } = options;
  const program = new Command(surface.name);
  configure(program, options)
    .description(`${paragraphs(surface.description)}\n\nFunctions:\n${functionList(surface, width)}`)
    .usage("<function> [flags]")
    .addHelpOption(helpFlag("explain the command, or one function of it"))
    .helpCommand("help [function]", "explain a function")
    // They stand above the flags, in the description.
    .configureHelp({ visibleCommands: () => [], helpWidth: width })
    .addHelpText("after", `\n${[LISTS, OVERVIEW, EXAMPLES.program, ENVIRONMENT, EXIT_CODES].join("\n\n")}`);
  for (const argument of surface.constructor.arguments) {
    addFlag(program, argument, surface, "What and where (every function):");
  }
  const known = new Set(surface.constructor.arguments.map(({ flag }) => flag));
  for (const option of ownFlags().filter((option) => !known.has(option.long?.slice(2) ?? ""))) {
    program.addOption(option.helpGroup("How to run (every function):"));
  }
  for (const fn of surface.functions) {
    const command = configure(program.command(fn.command), options)
      .description(paragraphs(fn.description))
      .usage("[flags]")
      .addHelpOption(helpFlag("explain this function"))
      .configureHelp({
        showGlobalOptions: true,
        helpWidth: width,
        styleTitle: title,
        visibleGlobalOptions: () => [...program.options],
      });
    for (const argument of fn.arguments) addFlag(command, argument, surface, "Flags:");
    if (fn.returns.kind === "object" && fn.returns.name === "Container") {
      command.addOption(
        new Option("--output <file>", "write the image there, as an OCI archive").helpGroup("Flags:"),
      );
    } else if (!fn.arguments.some(({ name }) => name === "format")) {
      // What it returns is a file's content, and no report.
      command.addOption(
        new Option("--output <file>", "write it there, once it is complete; else to stdout").helpGroup(
          "Flags:",
        ),
      );
    }
    if (makesReport(fn, surface)) command.addOption(reportFlag());
    const examples = EXAMPLES.functions[fn.command];
    command.addHelpText("after", `\n${[LISTS, ...(examples === undefined ? [] : [examples])].join("\n\n")}`);
    command.action(() => {
      action(fn, command);
    });
  }
  return program;
}

function configure(command: Command, options: ProgramOptions): Command {
  return command
    .exitOverride()
    .configureOutput({
      writeOut: options.writeOut,
      writeErr: options.writeErr,
      getOutHelpWidth: () => options.width,
      getErrHelpWidth: () => options.width,
      // Told in one place, in one style: see usageError.
      outputError: () => undefined,
    })
    .configureHelp({ helpWidth: options.width, styleTitle: title });
}

function title(text: string): string {
  return text === "Global Options:" ? "Flags of every function (before or after its name):" : text;
}

function invocation(fn: ModuleFunction, command: Command, surface: ModuleApi): Invocation {
  const typed = command.optsWithGlobals<Record<string, Scalar | Scalar[] | undefined>>();
  // Commander would ask for a missing flag before it tells of a misspelt one.
  const missing = fn.arguments.filter(
    ({ optional, flag }) => !optional && typed[new Option(`--${flag}`).attributeName()] === undefined,
  );
  if (missing.length > 0) {
    const names = missing.map(({ flag, type }) => `--${flag} <${placeholder(type)}>`).join(", ");
    throw new TgoError("USAGE", `${fn.command} needs ${names}`, {
      remedy: `${surface.name} ${fn.command} --help lists the flags.`,
    });
  }
  const values = new Map<string, Scalar | Scalar[]>();
  for (const argument of [...surface.constructor.arguments, ...fn.arguments]) {
    const value = typed[new Option(`--${argument.flag}`).attributeName()];
    if (value !== undefined) values.set(argument.name, value);
  }
  const text = (name: string): string | undefined => {
    const value = typed[name];
    return typeof value === "string" ? value : undefined;
  };
  return {
    function: fn,
    values,
    origins: new Map(),
    settings: {
      engine: ENGINES.find((each) => each === text("engine")) ?? "auto",
      progress: PROGRESS_MODES.find((each) => each === text("progress")) ?? "auto",
      verbose: typed.verbose === true,
      output: text("output"),
      reports: [typed.report ?? []].flat().map(String),
      caBundle: text("caBundle"),
    },
  };
}

function usageError(error: CommanderError, argv: readonly string[], surface: ModuleApi): TgoError {
  const names = surface.functions.map(({ command }) => command);
  const what = error.message
    .replace(/^error: /, "")
    .replace(/\n\((Did you mean .*)\)$/, ". $1")
    .replaceAll(/'(--[\w-]+) <[^']*>'/g, "$1")
    .replaceAll("'", '"');
  if (error.code === "commander.unknownCommand") {
    const near = nearest(/"(.*)"/.exec(what)?.[1] ?? "", names);
    const hint = near === undefined ? "" : `; did you mean "${near}"?`;
    return new TgoError("USAGE", `${what.replace("command", "function")}${hint}`, {
      remedy: `Functions: ${names.join(", ")}. ${surface.name} --help explains them.`,
    });
  }
  const flag = /^unknown option "(--[\w-]+)/.exec(what)?.[1];
  const at = argv.findIndex((word) => word.split("=")[0] === flag);
  const takers = surface.functions.filter((fn) => fn.arguments.some((each) => `--${each.flag}` === flag));
  if (takers.length > 0 && !argv.slice(0, at).some((word) => names.includes(word))) {
    return new TgoError("USAGE", `${flag ?? ""} comes after the name of a function that has it`, {
      remedy: `Those are: ${takers.map(({ command }) => command).join(", ")}. ${surface.name} --help explains them.`,
    });
  }
  const named = argv.find((word) => names.includes(word));
  const help = [surface.name, named, "--help"].filter((word) => word !== undefined).join(" ");
  return new TgoError("USAGE", what, { remedy: `${help} lists the flags.` });
}

/** The functions, each with the first sentence of its documentation. */
function functionList(surface: ModuleApi, width: number): string {
  const help = new Help();
  help.prepareContext({ helpWidth: width });
  const longest = Math.max(...surface.functions.map(({ command }) => command.length));
  return surface.functions
    .map((fn) => help.formatItem(fn.command, longest, firstSentence(fn.description), help))
    .join("\n");
}

/** Documentation as written in the source, without the line breaks that were made for the editor. */
function paragraphs(text: string): string {
  return text
    .trim()
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.replaceAll(/\s*\n\s*/g, " "))
    .join("\n\n");
}

function firstSentence(text: string): string {
  const [flat = ""] = paragraphs(text).split("\n\n");
  return /^.*?[.:](?=\s|$)/.exec(flat)?.[0].replace(/[.:]$/, "") ?? flat;
}
