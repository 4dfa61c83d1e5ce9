import { TgoError } from "./error.js";

/**
 * A text file's content without the byte order mark that editors on Windows write.
 * @param file for the message
 * @throws TgoError USAGE for UTF-16, which PowerShell's `>` writes
 */
export function withoutMark(text: string, file?: string): string {
  if (/^(?:\uFFFD\uFFFD|\uFFFE|.?\0)/.test(text)) {
    throw new TgoError("USAGE", "the file is not UTF-8 but UTF-16", {
      ...(file === undefined ? {} : { where: file }),
      remedy: "Save it as UTF-8. In PowerShell: Out-File -Encoding utf8.",
    });
  }
  return text.replace(/^\uFEFF/, "");
}
