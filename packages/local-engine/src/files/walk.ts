import { isUtf8 } from "node:buffer";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { TgoError } from "@tgo/errors";

/**
 * A directory's entries, sorted by name.
 * @throws TgoError SOURCE for a name that is not UTF-8: it cannot be opened by its text
 */
export function sortedEntries(folder: string) {
  const entries = readdirSync(folder, { withFileTypes: true });
  if (entries.some(({ name }) => name.includes("\uFFFD"))) refuseOtherEncodings(folder);
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function refuseOtherEncodings(folder: string): void {
  for (const bytes of readdirSync(folder, { encoding: "buffer" })) {
    if (isUtf8(bytes)) continue;
    const shown = bytes.toString("latin1").replaceAll(/[^ -~]/g, (char) => {
      return `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`;
    });
    throw new TgoError("SOURCE", "a file name is not UTF-8", {
      where: join(folder, shown),
      remedy: "Rename the file.",
    });
  }
}

/** Every path below a directory, relative to it: directories before their contents, in a fixed order. */
export function* pathsBelow(root: string, folder = ""): Generator<string> {
  for (const entry of sortedEntries(join(root, folder))) {
    const path = join(folder, entry.name);
    yield path;
    if (entry.isDirectory()) yield* pathsBelow(root, path);
  }
}
