import { readdirSync } from "node:fs";
import { join } from "node:path";

/** A directory's entries, sorted by name. */
export function sortedEntries(folder: string) {
  return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Every path below a directory, relative to it: directories before their contents, in a fixed order. */
export function* pathsBelow(root: string, folder = ""): Generator<string> {
  for (const entry of sortedEntries(join(root, folder))) {
    const path = join(folder, entry.name);
    yield path;
    if (entry.isDirectory()) yield* pathsBelow(root, path);
  }
}
