import { join } from "node:path";
import dockerignore from "@balena/dockerignore";
import { TgoError } from "@tgo/errors";
import { sortedEntries } from "./walk.js";

/** A selection of a directory's files, as .dockerignore patterns. */
export interface Selection {
  /** May contain `!` patterns. */
  readonly exclude?: readonly string[];
  /** A directory that matches is included with all its contents. */
  readonly include?: readonly string[];
}

/** Tests a path relative to the directory: whether a pattern matches it or one of its parents. */
export function matcher(patterns: readonly string[]): (path: string) => boolean {
  try {
    const list = dockerignore().add(patterns.map(normalize));
    // Makes the expressions of all patterns.
    list.ignores("x");
    return (path) => list.ignores(path);
  } catch (cause) {
    throw new TgoError("USAGE", `one of the patterns is malformed: ${patterns.join(", ")}`, {
      remedy: 'A "[" needs its "]"; write \\[ for the character itself.',
      cause,
    });
  }
}

/**
 * The selected paths, relative, directories before their contents, in a fixed order.
 * @returns undefined if everything is selected
 */
export function select(root: string, { exclude = [], include = [] }: Selection): string[] | undefined {
  if (exclude.length === 0 && include.length === 0) return undefined;
  const excluded = matcher(exclude);
  const included = include.length === 0 ? () => true : matcher(include);
  const hasExceptions = exclude.some((pattern) => pattern.trim().startsWith("!"));
  const paths: string[] = [];

  /** A directory that is not selected itself is listed if something in it is. */
  const walk = (folder: string): boolean => {
    const before = paths.length;
    for (const entry of sortedEntries(join(root, folder))) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      const isOut = excluded(path);
      const isIn = !isOut && included(path);
      if (!entry.isDirectory()) {
        if (isIn) paths.push(path);
      } else if (!isOut || hasExceptions) {
        const at = paths.push(path);
        if (!walk(path) && !isIn) paths.length = at - 1;
      }
    }
    return paths.length > before;
  };
  walk("");
  return paths;
}

/** The pattern relative to the root, normalized like moby's patternmatcher does. */
function normalize(pattern: string): string {
  const [, not = "", body = ""] = /^(!?)(?:\.?\/)*(.*?)\/*$/.exec(pattern.trim()) ?? [];
  return not + (body === "" || body === "." ? "**" : body);
}
