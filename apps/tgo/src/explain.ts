import { nearestName } from "@tgo/catalog";
import { CHINESE_ERROR_CODES, ERROR_CODES, TgoError, type TgoErrorCode } from "@tgo/errors";
import { wrapped } from "./doc-text.js";

export type Language = "en" | "zh";

export interface ExplainOptions {
  /** Terminal columns. */
  readonly width: number;
  readonly language: Language;
}

/** The reader's language, as programs read it from the environment: English, unless it is Chinese. */
export function languageOf(env: Readonly<Record<string, string | undefined>>): Language {
  // An empty variable counts as not set.
  const locale = [env.LC_ALL, env.LC_MESSAGES, env.LANG].find((each) => each !== undefined && each !== "");
  return locale?.startsWith("zh") === true ? "zh" : "en";
}

const WORDS = {
  en: {
    codes: "Error codes; tgo explain CODE says more:",
    remedy: "What to do:",
    again: " The same command may succeed later.",
    first: (situation: string) => `For example, ${situation}:`,
    other: (situation: string) => `Or ${situation}:`,
  },
  zh: {
    codes: "错误代码；用 tgo explain CODE 查看详细说明：",
    remedy: "如何处理：",
    again: "稍后运行同一条命令也可能成功。",
    first: (situation: string) => `例如，${situation}：`,
    other: (situation: string) => `又如，${situation}：`,
  },
} as const;

/**
 * What a code of an error means, with examples and what to do: the page of docs/reference/errors/, without a network.
 * Without a code, the list of all.
 * @param words what follows `explain` on the command line
 * @throws TgoError USAGE naming the nearest code
 */
export function explain(words: readonly string[], options: ExplainOptions): string {
  const codes = Object.keys(ERROR_CODES) as TgoErrorCode[];
  const [word, second] = words;
  if (word === undefined) return list(codes, options);
  const code = codes.find((each) => each === word.toUpperCase().replaceAll("-", "_"));
  if (code === undefined) throw unknownCode(word, codes);
  if (second !== undefined)
    throw new TgoError("USAGE", `explain takes one code, and "${second}" is a second one`, {
      remedy: `Codes: ${codes.join(", ")}.`,
    });
  return page(code, options);
}

function unknownCode(word: string, codes: readonly string[]): TgoError {
  const nearest = nearestName(word, codes);
  const hint = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
  return new TgoError("USAGE", `there is no error code "${word}"${hint}`, {
    remedy: `Codes: ${codes.join(", ")}.`,
  });
}

const causeOf = (code: TgoErrorCode, language: Language): string =>
  (language === "zh" ? CHINESE_ERROR_CODES : ERROR_CODES)[code].cause;

function list(codes: readonly TgoErrorCode[], { width, language }: ExplainOptions): string {
  const longest = Math.max(...codes.map((code) => code.length));
  const rows = codes.flatMap((code) =>
    wrapped(causeOf(code, language), width - longest - 4).map(
      (line, index) => `  ${(index === 0 ? code : "").padEnd(longest)}  ${line}`,
    ),
  );
  return [WORDS[language].codes, ...rows, ""].join("\n");
}

function page(code: TgoErrorCode, { width, language }: ExplainOptions): string {
  const { again, examples, ...english } = ERROR_CODES[code];
  const chinese = CHINESE_ERROR_CODES[code];
  const { remedy } = language === "zh" ? chinese : english;
  const words = WORDS[language];
  const indented = (text: string, pad: string): string[] =>
    text.split("\n").flatMap((line) => wrapped(line, width - pad.length).map((part) => pad + part));
  return [
    code,
    ...wrapped(causeOf(code, language), width),
    "",
    words.remedy,
    ...indented(`${remedy}${again ? words.again : ""}`, "  "),
    ...examples.flatMap((example, at) => {
      const situation = language === "zh" ? (chinese.situations[at] ?? "") : example.situation;
      return [
        "",
        ...wrapped((at === 0 ? words.first : words.other)(situation.replaceAll("`", "")), width),
        ...indented(example.what, "  "),
        ...(example.remedy === undefined ? [] : hang(indented(example.remedy, "     "))),
      ];
    }),
    "",
  ].join("\n");
}

/** The arrow of a remedy, in front of its first line. */
function hang([first = "", ...others]: readonly string[]): string[] {
  return [`  -> ${first.trimStart()}`, ...others];
}
