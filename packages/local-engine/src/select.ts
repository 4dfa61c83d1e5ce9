import { readdirSync } from "node:fs";
import { join } from "node:path";
import dockerignore from "@balena/dockerignore";

/** Which files of a directory: patterns of .dockerignore. */
export interface Selection {
  /** With `!`. */
  readonly exclude?: readonly string[] | undefined;
  /** A directory that matches is taken with all its contents. */
  readonly include?: readonly string[] | undefined;
}

/** True for a path relative to the directory, when one of the patterns matches it or a directory above it. */
export function matcher(patterns: readonly string[]): (path: string) => boolean {
  const list = dockerignore().add(patterns.map(clean));
  return (path) => list.ignores(path);
}

/**
 * The selected paths, relative, directories before their contents, in a fixed order.
 * @returns undefined when everything is selected
 */
export function select(root: string, { exclude = [], include = [] }: Selection): string[] | undefined {
  if (exclude.length === 0 && include.length === 0) return undefined;
  const excluded = matcher(exclude);
  const included = include.length === 0 ? () => true : matcher(include);
  const mayReturn = exclude.some((pattern) => pattern.trim().startsWith("!"));
  const paths: string[] = [];

  /** A directory that is not selected itself is there when something in it is. */
  const walk = (folder: string): boolean => {
    const before = paths.length;
    for (const entry of sortedEntries(join(root, folder))) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      const isOut = excluded(path);
      const isIn = !isOut && included(path);
      if (!entry.isDirectory()) {
        if (isIn) paths.push(path);
      } else if (!isOut || mayReturn) {
        const at = paths.push(path);
        if (!walk(path) && !isIn) paths.length = at - 1;
      }
    }
    return paths.length > before;
  };
  walk("");
  return paths;
}

export function sortedEntries(folder: string) {
  return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A root-relative pattern, as moby's patternmatcher cleans them. */
function clean(pattern: string): string {
  const [, not = "", body = ""] = /^(!?)(?:\.?\/)*(.*?)\/*$/.exec(pattern.trim()) ?? [];
  return not + (body === "" || body === "." ? "**" : body);
}
