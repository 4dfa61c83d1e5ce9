import { posix } from "node:path";
import type { ElfFacts } from "../elf/elf-facts.js";

/** What the link proof needs of a root file system. All paths are from its root: `/usr/lib/libx.so`. */
export interface LinkTree {
  /** Regular files that are ELF. */
  readonly elf: ReadonlyMap<string, ElfFacts>;
  /** The target of a symbolic link, as in the file system; undefined for anything else. */
  linkTarget(path: string): string | undefined;
  /** The content of a file that `isLoaderFile` names; undefined if there is none. */
  loaderFile(path: string): Uint8Array | undefined;
}

/** Linux, MAXSYMLINKS. */
const MAX_LINKS = 40;

/** Paths that are remembered, and characters of the longest: libraries are asked for by every program that needs them. */
const [MAX_KNOWN, MAX_KNOWN_LENGTH] = [20_000, 256];

/** Follows symbolic links inside the tree, as a process whose root it is. */
export class Paths {
  readonly #directories = new Map<string, string | undefined>();
  readonly #known = new Map<string, string | undefined>();

  constructor(private readonly tree: Pick<LinkTree, "linkTarget">) {}

  /** The path without symbolic links, whether or not something is there; undefined for a loop of links. */
  real(path: string): string | undefined {
    const known = this.#known.get(path);
    if (known !== undefined || this.#known.has(path)) return known;
    const real = this.#follow("", path);
    if (this.#known.size < MAX_KNOWN && path.length <= MAX_KNOWN_LENGTH) this.#known.set(path, real);
    return real;
  }

  /** The same for a name in a directory; directories are remembered. */
  realIn(directory: string, name: string): string | undefined {
    let real = this.#directories.get(directory);
    if (real === undefined && !this.#directories.has(directory)) {
      real = this.real(directory);
      this.#directories.set(directory, real);
    }
    return real === undefined ? undefined : this.#follow(real, name);
  }

  #follow(base: string, path: string): string | undefined {
    let at = base;
    let left = MAX_LINKS;
    const rest = path.split("/").reverse();
    for (let part = rest.pop(); part !== undefined; part = rest.pop()) {
      if (part === "" || part === ".") continue;
      if (part === "..") {
        at = at.slice(0, Math.max(at.lastIndexOf("/"), 0));
        continue;
      }
      const next = `${at}/${part}`;
      const target = this.tree.linkTarget(next);
      if (target === undefined) {
        at = next;
        continue;
      }
      if (--left < 0) return undefined;
      if (target.startsWith("/")) at = "";
      rest.push(...target.split("/").reverse());
    }
    return at === "" ? "/" : at;
  }
}

export function directoryOf(path: string): string {
  return posix.dirname(path);
}

export function nameOf(path: string): string {
  return posix.basename(path);
}
