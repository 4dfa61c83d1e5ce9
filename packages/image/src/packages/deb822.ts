/**
 * The paragraphs of a control file, such as dpkg's status: fields by their names in lower case, the first line of each.
 * A line that is neither a field nor a continuation is skipped.
 * @see https://manpages.debian.org/bookworm/dpkg-dev/deb822.5.en.html
 */
export function* paragraphsOf(text: string): Generator<ReadonlyMap<string, string>, void, undefined> {
  let fields = new Map<string, string>();
  for (const line of linesOf(text)) {
    if (line.trim() === "") {
      if (fields.size > 0) yield fields;
      fields = new Map();
      continue;
    }
    const colon = line.indexOf(":");
    if (colon <= 0 || line.startsWith(" ") || line.startsWith("\t")) continue;
    const name = line.slice(0, colon).toLowerCase();
    if (!fields.has(name)) fields.set(name, line.slice(colon + 1).trim());
  }
  if (fields.size > 0) yield fields;
}

/** One line at a time: databases have a hundred thousand. */
export function* linesOf(text: string): Generator<string, void, undefined> {
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf("\n", start);
    const end = newline === -1 ? text.length : newline;
    yield text.slice(start, text[end - 1] === "\r" && end > start ? end - 1 : end);
    start = end + 1;
  }
}
