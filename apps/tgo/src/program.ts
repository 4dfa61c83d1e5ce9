import { Command, Help } from "commander";
import { firstSentence, paragraphs } from "./doc-text.js";
import { addFlag, helpFlag, ownFlags, reportFlag, textFlag } from "./flags.js";
import { ENVIRONMENT, EXAMPLES, EXIT_CODES, LISTS, OVERVIEW, withCommand } from "./help.js";
import {
  makesReport,
  positionalOf,
  returnsFolder,
  type ModuleApi,
  type ModuleFunction,
} from "./module-api.js";

export interface ProgramOptions {
  readonly moduleApi: ModuleApi;
  /** The name the command was started by. */
  readonly name: string;
  /** What starts it in examples: "npx --no-install tgo". */
  readonly command: string;
  readonly writeOut: (text: string) => void;
  readonly writeErr: (text: string) => void;
  /** Columns of the terminal, for help. */
  readonly width: number;
}

type Action = (fn: ModuleFunction, command: Command) => void;

/** Builds commander's program from the module API: the functions are its commands, their arguments its flags. */
export function buildProgram(options: ProgramOptions, action: Action): Command {
  const { moduleApi, name, width } = options;
  const program = new Command(name);
  configure(program, options)
    .description(`${paragraphs(moduleApi.description)}\n\nFunctions:\n${functionList(moduleApi, width)}`)
    .usage("<function> [flags]")
    .addHelpOption(helpFlag("Show this help, or the help of one function."))
    .helpCommand("help [function]", "Show the help of a function.")
    // The description lists the functions, above the flags.
    .configureHelp({ visibleCommands: () => [], helpWidth: width })
    .addHelpText(
      "after",
      `\n${[LISTS, OVERVIEW, withCommand(EXAMPLES.program, options.command), ENVIRONMENT, EXIT_CODES].join("\n\n")}`,
    );
  for (const argument of moduleApi.constructor.arguments) {
    addFlag(program, argument, moduleApi, "What and where (every function):");
  }
  const known = new Set(moduleApi.constructor.arguments.map(({ flag }) => flag));
  for (const option of ownFlags().filter((option) => !known.has(option.long?.slice(2) ?? ""))) {
    program.addOption(option.helpGroup("How to run (every function):"));
  }
  for (const fn of moduleApi.functions) addFunction(program, fn, options, action);
  return program;
}

function addFunction(program: Command, fn: ModuleFunction, options: ProgramOptions, action: Action): void {
  const { moduleApi, width } = options;
  const positional = positionalOf(fn);
  const command = configure(program.command(fn.command), options)
    .description(paragraphs(withoutDaggerHint(fn.description)))
    .usage(positional === undefined ? "[flags]" : `${positional.name} [flags]`)
    .addHelpOption(helpFlag("Show this help."))
    .configureHelp({
      showGlobalOptions: true,
      helpWidth: width,
      styleTitle: title,
      visibleGlobalOptions: () => [...program.options],
    });
  if (positional !== undefined) command.argument(positional.name, positional.argument.description);
  for (const argument of fn.arguments) addFlag(command, argument, moduleApi, "Flags:");
  const output = outputDescription(fn);
  if (output !== undefined) {
    command.addOption(textFlag("output", output).helpGroup("Flags:"));
  }
  if (makesReport(fn, moduleApi)) command.addOption(reportFlag());
  const examples = EXAMPLES.functions[fn.command];
  command.addHelpText(
    "after",
    `\n${[LISTS, ...(examples === undefined ? [] : [withCommand(examples, options.command)])].join("\n\n")}`,
  );
  command.action(() => {
    action(fn, command);
  });
}

/** Without the paragraph on the order of flags: `tgo` takes them in any. */
function withoutDaggerHint(description: string): string {
  return description.replace(/\n\nWith dagger call, [^]*$/, "");
}

/** What --output does, for functions that return an image or the content of a file. */
function outputDescription(fn: ModuleFunction): string | undefined {
  const { returns, arguments: args } = fn;
  if (returns.kind === "object" && returns.name === "Container") {
    return "Write the image to this file, as an OCI archive.";
  }
  if (returnsFolder(fn)) return "Write the result to this folder, which is new or empty. [required]";
  if (args.some(({ name }) => name === "format")) return undefined;
  return "Write the result to this file once it is complete, instead of stdout.";
}

function configure(command: Command, options: ProgramOptions): Command {
  return command
    .exitOverride()
    .configureOutput({
      writeOut: options.writeOut,
      writeErr: options.writeErr,
      getOutHelpWidth: () => options.width,
      getErrHelpWidth: () => options.width,
      // All errors are printed in one place and style: see usage-error.ts.
      outputError: () => undefined,
    })
    .configureHelp({ helpWidth: options.width, styleTitle: title });
}

function title(text: string): string {
  return text === "Global Options:" ? "Flags of every function (before or after its name):" : text;
}

/** The functions, each with the first sentence of its documentation. */
function functionList(moduleApi: ModuleApi, width: number): string {
  const help = new Help();
  help.prepareContext({ helpWidth: width });
  const longest = Math.max(...moduleApi.functions.map(({ command }) => command.length));
  return moduleApi.functions
    .map((fn) => help.formatItem(fn.command, longest, firstSentence(fn.description), help))
    .join("\n");
}
