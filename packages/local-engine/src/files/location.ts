import { lstatSync } from "node:fs";
import { TgoError } from "@tgo/errors";
import type { Context } from "../context.js";
import type { Lazy } from "../lazy.js";
import type { Snapshot } from "../store/snapshot.js";
import { resolveIn } from "./paths.js";
import { fileDigest } from "./tree-digest.js";

/** A directory or a file: an absolute path in a file system. */
export interface Location {
  readonly fs: Lazy<Snapshot>;
  readonly path: string;
}

/** The kind of thing that must be at a location. */
export type LocationKind = "directory" | "file";

/**
 * Mounts a location's file system while `use` runs with the real path and the mounted root.
 * @throws TgoError SOURCE if nothing of this kind is there
 */
export async function withLocation<T>(
  cx: Context,
  { fs, path }: Location,
  kind: LocationKind,
  use: (path: string, root: string) => Promise<T> | T,
): Promise<T> {
  return cx.snapshots.mount(await fs.get(), (root) => {
    const real = resolveIn(root, path);
    const info = lstatSync(real, { throwIfNoEntry: false });
    if (!(kind === "directory" ? info?.isDirectory() : info?.isFile()))
      throw new TgoError("SOURCE", info ? `this is not a ${kind}` : `no such ${kind}`, { where: path });
    return use(real, root);
  });
}

export async function locationExists(cx: Context, { fs, path }: Location): Promise<boolean> {
  const exists = (root: string): boolean =>
    lstatSync(resolveIn(root, path), { throwIfNoEntry: false }) !== undefined;
  return cx.snapshots.mount(await fs.get(), exists);
}

/** The digest of a file's content, mode and owner. */
export function digestOfFile(cx: Context, file: Location): Promise<string> {
  return withLocation(cx, file, "file", (path) => fileDigest(path));
}
