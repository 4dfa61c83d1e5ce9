import { Redactor } from "@tgo/redaction";

/** Masks a command's secrets. */
export interface Scrubber {
  /** In what the command returns, which other commands may read. */
  readonly result: (text: string) => string;
  /** In a line for people: also what looks like a credential. */
  readonly line: (text: string) => string;
}

/**
 * @param secrets texts of the command's secrets: credentials, or documents that contain some
 * @param urls addresses that may contain credentials
 */
export function scrubber(secrets: readonly string[], urls: Iterable<string | undefined> = []): Scrubber {
  const redactor = new Redactor();
  for (const secret of secrets) redactor.addText(secret);
  redactor.addUrls(urls);
  return { result: (text) => redactor.mask(text), line: (text) => redactor.clean(text) };
}
