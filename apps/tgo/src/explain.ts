import { nearestName } from "@tgo/catalog";
import { wrapped } from "./doc-text.js";
import { ERROR_CODES, TgoError, type TgoErrorCode } from "@tgo/errors";

/**
 * What a code of an error means, with examples and what to do: the page of docs/reference/errors/, without a network. Without a
 * code, the list of all.
 * @param words what follows `explain` on the command line
 * @throws TgoError USAGE naming the nearest code
 */
export function explain(words: readonly string[], { width }: { readonly width: number }): string {
  const codes = Object.keys(ERROR_CODES) as TgoErrorCode[];
  const [word, second] = words;
  if (word === undefined) return list(codes, width);
  const code = codes.find((each) => each === word.toUpperCase().replaceAll("-", "_"));
  if (code === undefined) throw unknownCode(word, codes);
  if (second !== undefined)
    throw new TgoError("USAGE", `explain takes one code, and "${second}" is a second one`, {
      remedy: `Codes: ${codes.join(", ")}.`,
    });
  return page(code, width);
}

function unknownCode(word: string, codes: readonly string[]): TgoError {
  const nearest = nearestName(word, codes);
  const hint = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
  return new TgoError("USAGE", `there is no error code "${word}"${hint}`, {
    remedy: `Codes: ${codes.join(", ")}.`,
  });
}

function list(codes: readonly TgoErrorCode[], width: number): string {
  const longest = Math.max(...codes.map((code) => code.length));
  const rows = codes.flatMap((code) =>
    wrapped(ERROR_CODES[code].cause, width - longest - 4).map(
      (line, index) => `  ${(index === 0 ? code : "").padEnd(longest)}  ${line}`,
    ),
  );
  return ["Error codes; tgo explain CODE says more:", ...rows, ""].join("\n");
}

function page(code: TgoErrorCode, width: number): string {
  const { cause, remedy, again, examples } = ERROR_CODES[code];
  const indented = (text: string, pad: string): string[] =>
    text.split("\n").flatMap((line) => wrapped(line, width - pad.length).map((part) => pad + part));
  return [
    code,
    ...wrapped(cause, width),
    "",
    "What to do:",
    ...indented(`${remedy}${again ? " The same command may succeed later." : ""}`, "  "),
    ...examples.flatMap((example, at) => [
      "",
      ...wrapped(`${at === 0 ? "For example, " : "Or "}${example.situation.replaceAll("`", "")}:`, width),
      ...indented(example.what, "  "),
      ...(example.remedy === undefined ? [] : hang(indented(example.remedy, "     "))),
    ]),
    "",
  ].join("\n");
}

/** The arrow of a remedy, in front of its first line. */
function hang([first = "", ...others]: readonly string[]): string[] {
  return [`  -> ${first.trimStart()}`, ...others];
}
