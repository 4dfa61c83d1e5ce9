import { lstatSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** What a layer records about a file, except its content. */
export interface Entry {
  readonly kind: "directory" | "file" | "symlink" | "other";
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Milliseconds. */
  readonly mtime: number;
  readonly target: string;
}

/** Paths relative to the root, without a leading slash, parents before children. */
export type Tree = ReadonlyMap<string, Entry>;

/** Leftovers of a running system or an installation, which belong in no image: contents of these directories … */
const CONTENTS_OF =
  /^(dev|proc|sys|run|tmp|var\/tmp|foreign|var\/lib\/apt\/lists|var\/cache\/(apt|ldconfig))\/./;
/** … and exactly these files. */
const FILES =
  /^(foreign|\.dockerenv|etc\/(resolv\.conf|hosts|hostname|machine-id|\.pwd\.lock|(passwd|group|shadow|gshadow|subuid|subgid)-|apt\/sources\.list)|etc\/apt\/apt\.conf\.d\/99mmdebstrap|var\/lib\/dpkg\/(.*-old|lock|lock-frontend)|var\/log\/(apt\/.*|.*\.log|btmp|wtmp|lastlog|faillog)|var\/cache\/debconf\/.*)$/;

/** Symbolic links into /dev are part of an image, although their names end in .log. */
function isLeftover(path: string, entry: Entry): boolean {
  return CONTENTS_OF.test(path) || (FILES.test(path) && entry.kind !== "symlink");
}

export function readTree(root: string): Tree {
  const tree = new Map<string, Entry>();
  const walk = (directory: string): void => {
    for (const name of readdirSync(join(root, directory)).sort()) {
      const path = directory === "" ? name : `${directory}/${name}`;
      const stat = lstatSync(join(root, path));
      const kind = stat.isDirectory()
        ? "directory"
        : stat.isFile()
          ? "file"
          : stat.isSymbolicLink()
            ? "symlink"
            : "other";
      const entry: Entry = {
        kind,
        mode: stat.mode,
        uid: stat.uid,
        gid: stat.gid,
        size: stat.size,
        mtime: stat.mtimeMs,
        target: kind === "symlink" ? readlinkSync(join(root, path)) : "",
      };
      if (isLeftover(path, entry)) continue;
      tree.set(path, entry);
      if (kind === "directory") walk(path);
    }
  };
  walk("");
  return tree;
}

/** The paths of a layer on top of `lower`, with their parent directories. Deletions are ignored. */
export function changedPaths(lower: Tree, upper: Tree): string[] {
  const changed = new Set<string>();
  for (const [path, entry] of upper) {
    const below = lower.get(path);
    if (below !== undefined && sameEntry(below, entry)) continue;
    const parts = path.split("/");
    for (let length = 1; length <= parts.length; length += 1) changed.add(parts.slice(0, length).join("/"));
  }
  return [...changed].sort();
}

function sameEntry(a: Entry, b: Entry): boolean {
  if (a.kind !== b.kind || a.mode !== b.mode || a.uid !== b.uid || a.gid !== b.gid) return false;
  // A directory's time changes with every temporary file.
  if (a.kind === "directory") return true;
  return a.size === b.size && a.mtime === b.mtime && a.target === b.target;
}
