import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import dockerignore from "@balena/dockerignore";
import ignore, { type Ignore } from "ignore";

/** Which files of a directory: the arguments that Dagger's directory functions share. */
export interface Selection {
  /** Patterns of .dockerignore, with `!`. */
  readonly exclude?: readonly string[] | undefined;
  /** Patterns of .dockerignore; a directory that matches is taken with all its contents. */
  readonly include?: readonly string[] | undefined;
  /** Leave out what the .gitignore files in the directory leave out. */
  readonly gitignore?: boolean | undefined;
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
export function select(
  root: string,
  { exclude = [], include = [], gitignore }: Selection,
): string[] | undefined {
  if (exclude.length === 0 && include.length === 0 && gitignore !== true) return undefined;
  const excluded = matcher(exclude);
  const included = include.length === 0 ? () => true : matcher(include);
  const mayReturn = exclude.some((pattern) => pattern.trim().startsWith("!"));
  const paths: string[] = [];

  const walk = (folder: string, rules: readonly GitRules[]): boolean => {
    const known = gitignore === true ? [...rules, ...gitRules(root, folder)] : rules;
    let any = false;
    for (const entry of sortedEntries(join(root, folder))) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (gitIgnored(known, path, entry.isDirectory())) continue;
      const out = excluded(path);
      if (!entry.isDirectory()) {
        if (out || !included(path)) continue;
        paths.push(path);
        any = true;
        continue;
      }
      if (out && !mayReturn) continue;
      const at = paths.push(path) - 1;
      const has = walk(path, known);
      if (has || (!out && included(path))) any = true;
      else paths.splice(at, 1);
    }
    return any;
  };
  walk("", []);
  return paths;
}

export function sortedEntries(folder: string) {
  return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
}

interface GitRules {
  readonly base: string;
  readonly rules: Ignore;
}

function gitRules(root: string, folder: string): GitRules[] {
  const file = join(root, folder, ".gitignore");
  if (!existsSync(file)) return [];
  return [{ base: folder === "" ? "" : `${folder}/`, rules: ignore().add(readFileSync(file, "utf8")) }];
}

/** Deeper files have the last word. */
function gitIgnored(known: readonly GitRules[], path: string, isDirectory: boolean): boolean {
  let ignored = false;
  for (const { base, rules } of known) {
    const verdict = rules.test(path.slice(base.length) + (isDirectory ? "/" : ""));
    if (verdict.ignored) ignored = true;
    else if (verdict.unignored) ignored = false;
  }
  return ignored;
}

/** A root-relative pattern, as moby's patternmatcher cleans them. */
function clean(pattern: string): string {
  const not = pattern.trim().startsWith("!");
  const body = pattern
    .trim()
    .replace(/^!/, "")
    .replace(/^(\.?\/)+/, "")
    .replace(/\/+$/, "");
  return (not ? "!" : "") + (body === "" || body === "." ? "**" : body);
}
