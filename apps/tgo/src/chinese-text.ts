const WIDE = /[\u3000-\u30FF\u4E00-\u9FFF\uFF00-\uFF60]/;
const EACH_WIDE = new RegExp(WIDE, "g");
/** A run of Latin characters, or one that is not; with the punctuation that begins no line. */
const PARTS = /(?:[\x21-\x7E]+|\S)[，。、；：！？）」』”…]*|\s+/g;

export function isChinese(text: string): boolean {
  return WIDE.test(text);
}

/** Lines of a number of terminal columns. Chinese has no spaces, breaks anywhere, and takes two columns a character. */
export function wrappedChinese(text: string, width: number): string[] {
  const columns = (line: string): number => line.length + (line.match(EACH_WIDE)?.length ?? 0);
  const lines = [""];
  for (const [part] of text.matchAll(PARTS))
    if (columns((lines.at(-1) ?? "") + part.trimEnd()) <= width) lines.push((lines.pop() ?? "") + part);
    else lines.push(part.trimStart());
  return lines.map((line) => line.trimEnd());
}
