import { Command, Help } from "commander";
import { firstSentence, paragraphs, wrapped } from "./doc-text.js";
import { placeholder } from "./flag-values.js";
import { addFlag, helpFlag, ownFlags, reportFlag, signingFlags, textFlag } from "./flags.js";
import { ENVIRONMENT, EXAMPLES, EXIT_CODES, LISTS, OVERVIEW, withCommand } from "./help.js";
import { FUNCTION_GROUPS, OWN_COMMANDS } from "./own-commands.js";
import {
  makesReport,
  positionalOf,
  returnsFolder,
  returnsText,
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
  /** Whether help shows the flags that all functions share: `--help all`. */
  readonly showsAll?: boolean;
}

type Action = (fn: ModuleFunction, command: Command) => void;

/** Builds commander's program from the module API: the functions are its commands, their arguments its flags. */
export function buildProgram(options: ProgramOptions, action: Action): Command {
  const { moduleApi, name, width } = options;
  const program = new Command(name);
  configure(program, options)
    .description(`${paragraphs(moduleApi.description)}\n\n${functionGroups(moduleApi, width)}`)
    .usage("<function> [flags]")
    .addHelpOption(helpFlag("Show this help, or the help of one function."))
    .helpCommand("help [function]", "Show the help of a function.")
    // The description lists the functions, above the flags.
    .configureHelp({
      visibleCommands: () => [],
      ...(options.showsAll === true ? {} : { visibleOptions: () => [] }),
      helpWidth: width,
    })
    .addHelpText("after", `\n${afterOverview(options).join("\n\n")}`);
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
      showGlobalOptions: options.showsAll === true,
      helpWidth: width,
      styleTitle: title,
      visibleGlobalOptions: () => [...program.options],
    });
  // Told by us, with what was probably meant.
  if (positional === undefined) command.allowExcessArguments();
  if (positional !== undefined) command.argument(positional.name, positional.argument.description);
  for (const argument of fn.arguments) addFlag(command, argument, moduleApi, "Flags:");
  const output = outputDescription(fn, moduleApi);
  if (output !== undefined) {
    command.addOption(textFlag("output", output).helpGroup("Flags:"));
  }
  for (const option of signingFlags(fn)) command.addOption(option);
  if (makesReport(fn, moduleApi)) command.addOption(reportFlag());
  const examples = EXAMPLES.functions[fn.command] ?? plainExample(fn);
  command.addHelpText(
    "after",
    `\n${[
      ...(options.showsAll === true ? [LISTS] : [sharedLine(fn.command, options)]),
      withCommand(examples, options.command),
    ].join("\n\n")}`,
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
function outputDescription(fn: ModuleFunction, moduleApi: ModuleApi): string | undefined {
  const { returns } = fn;
  if (returns.kind === "object" && returns.name === "Container") {
    return "Write the image to this file, as an OCI archive.";
  }
  if (returnsFolder(fn)) return "Write the result to this folder, which is new or empty. [required]";
  if (returnsText(fn, moduleApi)) return undefined;
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

/** What follows the functions in the help of the whole command. */
function afterOverview(options: ProgramOptions): string[] {
  const examples = withCommand(EXAMPLES.program, options.command);
  if (options.showsAll === true) return [LISTS, OVERVIEW, examples, ENVIRONMENT, EXIT_CODES];
  const more =
    `${options.name} FUNCTION --help shows a function's flags; ${options.name} --help all the flags that every ` +
    "function takes, and the variables that are read.";
  return [OVERVIEW, examples, EXIT_CODES, wrapped(more, options.width).join("\n")];
}

/** For a function without examples of its own: what it needs at least. */
function plainExample(fn: ModuleFunction): string {
  const values: Readonly<Record<string, string>> = { service: "tgo-api", version: "1.2.3" };
  const needed = fn.arguments.filter(({ optional }) => !optional);
  const flags = needed.map(
    ({ flag, type }) => `--${flag} ${values[flag] ?? placeholder(type).toUpperCase()}`,
  );
  const output = returnsFolder(fn) ? ["--output FOLDER"] : [];
  return `Examples:\n  ${["tgo", fn.command, ...flags, ...output].join(" ")}`;
}

/** One line for all the flags that a function shares with the others. */
function sharedLine(command: string, { moduleApi, name, width }: ProgramOptions): string {
  const names = [...moduleApi.constructor.arguments.map(({ flag }) => flag), "engine", "progress"];
  const known = ["catalog", "registry", "platform", "docker-config", "engine", "progress"];
  const shown = known.filter((flag) => names.includes(flag)).map((flag) => `--${flag}`);
  const line = `Every function also takes ${shown.join(", ")} and more: ${name} ${command} --help all.`;
  return wrapped(line, width).join("\n");
}

/** The functions in groups, each with the first sentence of its documentation. */
function functionGroups(moduleApi: ModuleApi, width: number): string {
  const help = new Help();
  help.prepareContext({ helpWidth: width });
  const grouped = new Set(FUNCTION_GROUPS.flatMap(({ functions }) => functions));
  const groups = [
    ...FUNCTION_GROUPS,
    {
      title: "More functions",
      functions: moduleApi.functions.map(({ command }) => command).filter((name) => !grouped.has(name)),
    },
  ];
  const own = (group: string): (readonly [string, string])[] =>
    OWN_COMMANDS.filter((each) => each.group === group).map(({ usage, description }) => [usage, description]);
  const functions = moduleApi.functions.map((fn) => [fn.command, firstSentence(fn.description)] as const);
  const longest = Math.max(...[...functions, ...own("Start"), ...own("Help")].map(([name]) => name.length));
  const list = (title: string, rows: readonly (readonly [string, string])[]): string[] =>
    rows.length === 0
      ? []
      : [`${title}:\n${rows.map(([name, text]) => help.formatItem(name, longest, text, help)).join("\n")}`];
  return [
    ...list("Start", own("Start")),
    ...groups.flatMap(({ title, functions: names }) =>
      list(
        title,
        names.flatMap((name) => functions.filter(([command]) => command === name)),
      ),
    ),
    ...list("Help", own("Help")),
  ].join("\n\n");
}
