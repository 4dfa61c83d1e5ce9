import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";

/** Files of a checkout, as far as a draft needs them. */
export interface Checkout {
  /** Paths from the checkout's root, with `/`, sorted. */
  readonly files: readonly string[];
  /** A file's text; undefined if it is absent, no text, or larger than a megabyte. */
  readonly read: (path: string) => Promise<string | undefined>;
}

/** Folders that hold no service of the checkout's own. */
const SKIPPED = new Set([
  ...[".git", ".github", ".venv", "venv", "node_modules", "vendor", "__pycache__", "site-packages"],
  ...["dist", "build", "target", "out", "coverage", "test", "tests", "fixtures", "third_party"],
]);

/** Whether a folder's name is one that is not looked into. */
export function isSkipped(name: string): boolean {
  return SKIPPED.has(name);
}

const MAX_DEPTH = 6;
const MAX_FILES = 20_000;
const MAX_BYTES = 1 << 20;

/** Lists a folder's files, without following links, at most {@link MAX_FILES} of them, those near the root first. */
export async function readCheckout(root: string): Promise<Checkout> {
  const files: string[] = [];
  let folders = [""];
  for (let depth = 0; depth < MAX_DEPTH && folders.length > 0; depth++) {
    const next: string[] = [];
    for (const folder of folders) {
      if (files.length >= MAX_FILES) break;
      const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(() => []);
      for (const entry of entries) {
        const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
        if (entry.isFile()) files.push(path);
        else if (entry.isDirectory() && !SKIPPED.has(entry.name)) next.push(path);
      }
    }
    folders = next;
  }
  return {
    files: files.sort(),
    read: async (path) => {
      const file = join(root, path);
      try {
        const { size } = await stat(file);
        const text = size > MAX_BYTES ? undefined : await readFile(file, "utf8");
        return text?.includes("\0") === true ? undefined : text;
      } catch {
        return undefined;
      }
    },
  };
}

/** Whether a path names a file of a folder, "" being the root. */
export function fileIn(checkout: Checkout, folder: string, name: string): string | undefined {
  const path = folder === "" ? name : `${folder}/${name}`;
  return checkout.files.includes(path) ? path : undefined;
}

/** The folder of a path; "" for the root. */
export function folderOf(path: string): string {
  return path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "";
}
