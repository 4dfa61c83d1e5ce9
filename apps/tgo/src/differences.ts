import type { HostOptions } from "@tgo/functions";
import type { Difference, DifferenceKind } from "@tgo/git";
import { posix } from "node:path";

const WORDS: Readonly<Record<DifferenceKind, string>> = {
  modified: "modified",
  missing: "missing from the folder",
  untracked: "not in the commit",
  mode: "another executable bit",
  type: "another type of file",
  "lfs-pointer": "a git LFS pointer without its content",
  "submodule-missing": "a submodule without the recorded commit",
  "submodule-commit": "a submodule at another commit",
};

const UPDATE = "Check out the recorded commits: git submodule update --init --recursive.";

/** What to do first, for kinds that a commit does not solve. */
const REMEDIES: Readonly<Partial<Record<DifferenceKind, string>>> = {
  missing: "Restore the files: git restore . (after a sparse checkout: git sparse-checkout disable).",
  "lfs-pointer": "Get the files of git LFS: git lfs pull.",
  "submodule-missing": UPDATE,
  "submodule-commit": UPDATE,
};

const REMEDY =
  "A release builds the commit. Commit the changes, remove the files, or list what no build needs in .dockerignore and " +
  "commit that.";

/**
 * Names the differences that a service's build would see: those in its folder that it does not ignore. All differences
 * of the ignore files themselves count.
 */
export function namesDifferences(all: readonly Difference[]): NonNullable<HostOptions["differences"]> {
  return async ({ folder, ignored, kept }) => {
    if (all.length === 0) return undefined;
    // It starts the local engine's modules: rarely needed.
    const { matcher } = await import("@tgo/local-engine");
    const isIgnored = matcher(ignored);
    const base = posix.join(folder, "/").replace(/^\.?\//, "");
    const seen = all.filter(({ path, kind }) => {
      // A parent folder of the service's.
      if (base.startsWith(`${path}/`)) return true;
      if (!path.startsWith(base)) return false;
      const inFolder = path.slice(base.length);
      if (kept.includes(inFolder)) return true;
      // Of a submodule that is not there, the contents decide, and any name stands for them.
      return !isIgnored(kind === "submodule-missing" ? `${inFolder}/file` : inFolder);
    });
    if (seen.length === 0) return undefined;
    const remedies = seen.map(({ kind }) => REMEDIES[kind] ?? REMEDY);
    return {
      differs: seen.map(({ path, kind }) => `${path} (${WORDS[kind]})`),
      remedy: [...new Set(remedies)].sort().join("\n"),
    };
  };
}
