import type { Directory } from "@dagger.io/dagger";
import type { Build } from "@tgo/catalog";
import { TgoError, withoutMark } from "@tgo/errors";
import { patternProblem } from "./ignore-pattern.js";

/** Never part of an image, whatever .dockerignore contains. */
const ALWAYS_IGNORED = [".git", "**/node_modules", "**/.venv", "**/__pycache__", "**/.DS_Store"];

export interface Filtered {
  readonly directory: Directory;
  /** Files that the build reads but must not copy. */
  readonly hidden: readonly string[];
  /** What was removed, as patterns. */
  readonly ignored: readonly string[];
  /** Files that decide what is removed, and the Dockerfile, ignored or not. */
  readonly kept: readonly string[];
}

/** Removes the files that the ignore file excludes. A Dockerfile is always kept, as Docker does. */
export async function applyIgnoreFile(build: Build, directory: Directory): Promise<Filtered> {
  const { file } = build.strategy === "dockerfile" ? build : { file: undefined };
  const own = file === undefined ? [] : await ignorePatterns(directory, `${file}.dockerignore`);
  const patterns = own.length === 0 ? await ignorePatterns(directory, ".dockerignore") : own;
  const ignored = [...patterns, ...ALWAYS_IGNORED];
  const kept = [".dockerignore", ...(file === undefined ? [] : [file, `${file}.dockerignore`])];
  const filtered = directory.filter({ exclude: ignored });
  if (file === undefined || !(await directory.exists(file)) || (await filtered.exists(file))) {
    return { directory: filtered, hidden: [], ignored, kept };
  }
  return { directory: filtered.withFile(file, directory.file(file)), hidden: [file], ignored, kept };
}

/** @see https://docs.docker.com/build/concepts/context/#dockerignore-files */
async function ignorePatterns(directory: Directory, file: string): Promise<string[]> {
  if (!(await directory.exists(file))) return [];
  return withoutMark(await directory.file(file).contents(), file)
    .split("\n")
    .flatMap((text, index) => {
      const line = text.trim();
      if (line === "" || line.startsWith("#")) return [];
      const problem = patternProblem(line.replace(/^!/, ""));
      if (problem === undefined) return [line.replace(/^(!?)\.?\//, "$1")];
      throw new TgoError("SOURCE", `"${line}" is not a pattern: ${problem}`, {
        where: `${file}, line ${index + 1}`,
        remedy: "Correct the line.",
      });
    });
}
