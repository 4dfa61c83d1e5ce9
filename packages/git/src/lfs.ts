import { callShadow } from "./shadow-index.js";
import type { Repository } from "./repository.js";

/** The size that git LFS gives a pointer file at most, in bytes. */
export const MAX_POINTER = 1024;

/** What a pointer file stands for. */
export interface LfsPointer {
  /** Hexadecimal. */
  readonly sha256: string;
  readonly size: number;
}

/** @see https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md#the-pointer */
export function parsePointer(content: Uint8Array): LfsPointer | undefined {
  if (content.length > MAX_POINTER) return undefined;
  const [, sha256, size] =
    /^version https:\/\/(?:git-lfs\.github\.com|hawser\.github\.com)\/spec\/v1\noid sha256:([0-9a-f]{64})\nsize (\d{1,15})\n$/.exec(
      Buffer.from(content).toString("latin1"),
    ) ?? [];
  return sha256 === undefined ? undefined : { sha256, size: Number(size) };
}

/** Those of the paths that the commit's .gitattributes give to git LFS. */
export async function lfsPaths(
  repository: Repository,
  tree: string,
  paths: readonly string[],
): Promise<Set<string>> {
  if (paths.length === 0) return new Set();
  const input = paths.map((path) => `${path}\0`).join("");
  const text = await callShadow(
    repository,
    tree,
    ["check-attr", "-z", "--cached", "--stdin", "filter"],
    input,
  );
  const fields = text.split("\0");
  const found = new Set<string>();
  // PATH, "filter", VALUE each.
  for (let at = 0; at + 2 < fields.length; at += 3) if (fields[at + 2] === "lfs") found.add(fields[at] ?? "");
  return found;
}
