import { nearestName } from "@tgo/catalog";
import { ERROR_CODES, TgoError } from "@tgo/errors";
import type { Option } from "commander";
import { ownFlags, reportFlag, signingFlags, textFlag } from "./flags.js";
import {
  makesReport,
  returnsFolder,
  type Argument,
  type ModuleApi,
  type ModuleFunction,
} from "./module-api.js";
import { OWN_COMMANDS } from "./own-commands.js";
import { firstSentence } from "./doc-text.js";

export const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = (typeof SHELLS)[number];

/** Completed with what was installed: bash's own completion of files does the rest. */
const PLATFORMS = ["linux/amd64", "linux/arm64"];

interface FlagWords {
  readonly flag: string;
  readonly description: string;
  /** What can follow it: "file" for a path; undefined for a switch. */
  readonly values: readonly string[] | "file" | "text" | undefined;
}

interface CommandWords {
  readonly name: string;
  readonly description: string;
  readonly flags: readonly FlagWords[];
  /** Words that can follow without a flag. */
  readonly words: readonly string[];
}

/**
 * A shell's script that completes this command: functions, flags, and the values of those that have a list of them.
 * @param words what follows `completion` on the command line
 * @throws TgoError USAGE naming the known shells
 */
export function completion(words: readonly string[], moduleApi: ModuleApi): string {
  const [word] = words;
  const shell = SHELLS.find((each) => each === word);
  if (shell === undefined || words.length > 1) {
    const nearest = word === undefined ? undefined : nearestName(word, SHELLS);
    const hint = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
    const what =
      word === undefined ? "completion needs a shell" : `completion takes one of its shells${hint}`;
    throw new TgoError("USAGE", what, {
      remedy: `One of: ${SHELLS.join(", ")}. For example: source <(tgo completion bash).`,
    });
  }
  const commands = commandWords(moduleApi);
  const writers = { bash, zsh, fish } satisfies Record<Shell, (all: readonly CommandWords[]) => string>;
  return writers[shell](commands);
}

function commandWords(moduleApi: ModuleApi): CommandWords[] {
  const shared = [
    ...moduleApi.constructor.arguments.map((argument) => flagOf(argument, moduleApi)),
    ...ownFlags().map(flagOfOption),
    { flag: "--help", description: "Show help", values: ["all"] },
  ];
  const functions = moduleApi.functions.map((fn) => {
    const all = [
      ...fn.arguments.map((argument) => flagOf(argument, moduleApi)),
      ...outputFlags(fn, moduleApi).map(flagOfOption),
      ...shared,
    ];
    const flags = all.filter(({ flag }, index) => all.findIndex((each) => each.flag === flag) === index);
    return { name: fn.command, description: firstSentence(fn.description), flags, words: [] };
  });
  const words: Readonly<Record<string, readonly string[]>> = {
    completion: SHELLS,
    explain: Object.keys(ERROR_CODES),
    help: moduleApi.functions.map(({ command }) => command),
  };
  const own = OWN_COMMANDS.map(({ name, description, flags = [], words: own }) => ({
    name,
    description,
    flags: flags.map(({ flag, description: text, takes }) => ({
      flag: `--${flag}`,
      description: firstSentence(text),
      values: takes,
    })),
    words: words[name] ?? own?.known ?? [],
  }));
  return [...functions, ...own];
}

function outputFlags(fn: ModuleFunction, moduleApi: ModuleApi): Option[] {
  const isFile = !fn.arguments.some(({ name }) => name === "format") || returnsFolder(fn);
  return [
    ...(isFile ? [textFlag("output", "Write the result to this file")] : []),
    ...signingFlags(fn),
    ...(makesReport(fn, moduleApi) ? [reportFlag()] : []),
  ];
}

function flagOf(argument: Argument, { enums }: ModuleApi): FlagWords {
  const { flag, description, type } = argument;
  const item = type.kind === "list" ? type.of : type;
  const isPath = item?.kind === "object" && item.name !== "Service";
  const known = enums[item?.name ?? ""]?.values.map(({ value }) => value);
  const values = flag === "platform" ? PLATFORMS : (known ?? (isPath ? "file" : "text"));
  return {
    flag: `--${flag}`,
    description: firstSentence(description),
    values: type.kind === "boolean" ? undefined : values,
  };
}

function flagOfOption(option: Option): FlagWords {
  const listed = /\[one of: ([^\]]*)\]/.exec(option.description)?.[1]?.split(", ");
  const isSwitch = !option.required && !option.optional;
  return {
    flag: option.long ?? "",
    description: firstSentence(option.description.replaceAll(/ ?\[[^\]]*\]/g, "")),
    values: isSwitch ? undefined : (listed ?? "file"),
  };
}

const NAMES = "tgo tgo-pipelines";

/** @see https://www.gnu.org/software/bash/manual/html_node/Programmable-Completion-Builtins.html */
function bash(commands: readonly CommandWords[]): string {
  const cases = commands.map(
    ({ name, flags, words }) =>
      `    ${name}) words="${[...words, ...flags.map(({ flag }) => flag)].join(" ")}" ;;`,
  );
  const values = distinctFlags(commands).flatMap(({ flag, values: known }) => {
    if (known === undefined) return [];
    if (known === "text") return [`    ${flag}) return ;;`];
    const how = known === "file" ? `compgen -f -- "$cur"` : `compgen -W "${known.join(" ")}" -- "$cur"`;
    return [`    ${flag}) mapfile -t COMPREPLY < <(${how}); return ;;`];
  });
  return `# bash completion of tgo. Load it with: source <(tgo completion bash)
_tgo() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" command="" word words
  COMPREPLY=()
  case "$prev" in
${values.join("\n")}
  esac
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case " ${commands.map(({ name }) => name).join(" ")} " in *" $word "*) command="$word"; break ;; esac
  done
  case "$command" in
    "") words="${commands.map(({ name }) => name).join(" ")} --help --version" ;;
${cases.join("\n")}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -o bashdefault -F _tgo ${NAMES}
`;
}

/** @see https://zsh.sourceforge.io/Doc/Release/Completion-System.html#Completion-Functions */
function zsh(commands: readonly CommandWords[]): string {
  const specs = ({ flags, words }: CommandWords): string[] => [
    ...flags.map(({ flag, description, values }) => {
      const text = zshText(description);
      if (values === undefined) return `'${flag}[${text}]'`;
      const action = values === "file" ? "_files" : values === "text" ? "" : `(${values.join(" ")})`;
      return `'*${flag}=[${text}]:${flag.slice(2)}:${action}'`;
    }),
    ...(words.length === 0 ? [] : [`'1:word:(${words.join(" ")})'`]),
  ];
  const cases = commands.map(
    (command) => `      ${command.name}) _arguments ${specs(command).join(" ") || "'*::'"} ;;`,
  );
  return `#compdef ${NAMES}
# zsh completion of tgo. Load it with: source <(tgo completion zsh)
_tgo() {
  local -a commands
  commands=(
${commands.map(({ name, description }) => `    '${name}:${zshText(description)}'`).join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe function commands
    return
  fi
  local command=$words[2]
  shift words; (( CURRENT-- ))
  case $command in
${cases.join("\n")}
  esac
}
compdef _tgo ${NAMES}
`;
}

/** In single quotes, where colons and brackets would end a part. */
function zshText(text: string): string {
  return text.replaceAll("'", "").replaceAll(/[[\]:\\]/g, " ");
}

/** @see https://fishshell.com/docs/current/cmds/complete.html */
function fish(commands: readonly CommandWords[]): string {
  const quoted = (text: string): string => `'${text.replaceAll(/['\\]/g, "\\$&")}'`;
  const lines = NAMES.split(" ").flatMap((program) => [
    `complete -c ${program} -f`,
    ...commands.flatMap(({ name, description, flags, words }) => [
      `complete -c ${program} -n __fish_use_subcommand -a ${name} -d ${quoted(description)}`,
      ...(words.length === 0
        ? []
        : [`complete -c ${program} -n '__fish_seen_subcommand_from ${name}' -a ${quoted(words.join(" "))}`]),
      ...flags.map(({ flag, description: text, values }) => {
        const how =
          values === undefined
            ? ""
            : values === "file"
              ? " -r -F"
              : values === "text"
                ? " -x"
                : ` -x -a ${quoted(values.join(" "))}`;
        return `complete -c ${program} -n '__fish_seen_subcommand_from ${name}' -l ${flag.slice(2)}${how} -d ${quoted(text)}`;
      }),
    ]),
  ]);
  return `# fish completion of tgo. Load it with: tgo completion fish | source\n${lines.join("\n")}\n`;
}

/** Flags of one name mean the same for every function; a command of our own may know fewer values. */
function distinctFlags(commands: readonly CommandWords[]): FlagWords[] {
  const all = commands.flatMap(({ flags }) => flags).reverse();
  return [...new Map(all.map((each) => [each.flag, each])).values()];
}
