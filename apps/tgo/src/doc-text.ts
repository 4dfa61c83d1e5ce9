import { isChinese, wrappedChinese } from "./chinese-text.js";
import { Help } from "commander";

/** Documentation as written in the source, without the line breaks made for the editor. */
export function paragraphs(text: string): string {
  return text
    .trim()
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.replaceAll(/\s*\n\s*/g, " "))
    .join("\n\n");
}

/** Without its full stop, for lists. */
export function firstSentence(text: string): string {
  const [first = ""] = paragraphs(text).split("\n\n");
  return /^.*?[.:](?=\s|$)/.exec(first)?.[0].replace(/[.:]$/, "") ?? first;
}

/** A paragraph in lines of a number of terminal columns; the report's own loads schemas, for which help does not wait. */
export function wrapped(text: string, width: number): string[] {
  const help = new Help();
  // Commander leaves a narrower text as it is.
  help.minWidthToWrap = 10;
  return isChinese(text) ? wrappedChinese(text, width) : help.boxWrap(text, width).split("\n");
}
