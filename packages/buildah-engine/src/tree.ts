import { lstatSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { basename, posix } from "node:path";
import { TgoError } from "@tgo/errors";
import type { Context } from "./context.js";
import { copyDirectory, copyOneFile, linkTree, mergesPlainly, treeDigest, type Attributes } from "./files.js";
import { lazy } from "./lazy.js";
import { absolute, resolveIn } from "./paths.js";
import { select, type Selection } from "./select.js";
import type { DirectoryState, FileState } from "./state.js";
import { EMPTY, keyOf, type Snapshot } from "./store.js";

/** Looks at a directory's or a file's real path. */
export async function lookAt<T>(
  cx: Context,
  at: DirectoryState | FileState,
  look: (path: string, root: string) => Promise<T> | T,
): Promise<T> {
  return cx.views.look(await at.fs.get(), (root) => look(resolveIn(root, at.path), root));
}

/** As lookAt, for something that must be there. */
export async function lookAtPresent<T>(
  cx: Context,
  at: DirectoryState | FileState,
  kind: "directory" | "file",
  look: (path: string, root: string) => Promise<T> | T,
): Promise<T> {
  return lookAt(cx, at, (path, root) => {
    const info = lstatSync(path, { throwIfNoEntry: false });
    if (!(kind === "directory" ? info?.isDirectory() : info?.isFile()))
      throw new TgoError("SOURCE", info ? `this is not a ${kind}` : `no such ${kind}`, { where: at.path });
    return look(path, root);
  });
}

export function below(directory: DirectoryState, path: string): string {
  return posix.join(directory.path, absolute(path));
}

/** `fs` with the contents of a directory copied to `path`. */
export async function putDirectory(
  cx: Context,
  fs: Snapshot,
  path: string,
  source: DirectoryState,
  selection: Selection = {},
  attributes: Attributes = {},
): Promise<Snapshot> {
  const from = await source.fs.get();
  return cx.views.step(
    fs,
    ["put directory", path, from.layers, source.path, selection, attributes],
    (root, later) =>
      lookAtPresent(cx, source, "directory", async (real, view) => {
        const selected = select(real, selection);
        const layer = Object.values(attributes).some((value) => value !== undefined && value !== "")
          ? undefined
          : cx.views.soleLayer(from, real.slice(view.length));
        const at = resolveIn(root, path);
        if (layer === undefined || !mergesPlainly(real, at, selected))
          return copyDirectory(real, root, path, selected, attributes);
        // Layers never change: unchanged files can be the same ones in both.
        await copyDirectory(real, root, path, []);
        const target = at.slice(root.length);
        later((upper) => {
          linkTree(layer, upper + target, selected);
        });
      }),
  );
}

export async function putFile(
  cx: Context,
  fs: Snapshot,
  path: string,
  source: FileState,
  attributes: Attributes = {},
): Promise<Snapshot> {
  const from = await source.fs.get();
  const name = source.name ?? basename(source.path);
  return cx.views.step(fs, ["put file", path, from.layers, source.path, name, attributes], (root) =>
    lookAtPresent(cx, source, "file", (real) => copyOneFile(real, root, path, attributes, name)),
  );
}

/** A directory of its own that holds only this, with these attributes. */
export function extracted(
  cx: Context,
  source: DirectoryState,
  selection: Selection = {},
  attributes: Attributes = {},
): DirectoryState {
  return { fs: lazy(() => putDirectory(cx, EMPTY, "/", source, selection, attributes)), path: "/" };
}

/**
 * A directory of the host, copied into the store. Its name there is the digest of what was copied (paths, modes,
 * contents; not times), so nothing is copied when nothing has changed. Everything belongs to root.
 */
export async function importDirectory(
  cx: Context,
  path: string,
  selection: Selection,
): Promise<DirectoryState> {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw new TgoError("SOURCE", "no such directory on this machine", { where: path });
  return importPaths(cx, path, select(path, selection));
}

async function importPaths(
  cx: Context,
  path: string,
  selected: readonly string[] | undefined,
): Promise<DirectoryState> {
  const event = { kind: "import", title: path } as const;
  const key = keyOf(["host", treeDigest(path, selected)]);
  if (cx.store.isWhole({ layers: [`${key}/fs`] })) {
    cx.onEvent({ ...event, state: "cached" });
    return { fs: lazy(() => ({ layers: [`${key}/fs`] })), path: "/" };
  }
  const started = performance.now();
  cx.onEvent({ ...event, state: "start" });
  const work = await cx.store.workFolder();
  try {
    const folder = cx.store.path(work, "step/fs");
    await mkdir(folder, { recursive: true });
    await copyDirectory(path, folder, "/", selected, { owner: "0:0" });
    // A file may have changed meanwhile: what was copied is what counts.
    const copied = keyOf(["host", treeDigest(folder)]);
    await cx.store.keep(`${work}/step`, `s/${copied}`);
    return { fs: lazy(() => ({ layers: [`${copied}/fs`] })), path: "/" };
  } finally {
    await cx.store.discard(work);
    cx.onEvent({ ...event, state: "end", durationMs: Math.round(performance.now() - started) });
  }
}

export async function importFile(cx: Context, path: string): Promise<FileState> {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isFile())
    throw new TgoError("SOURCE", "no such file on this machine", { where: path });
  const folder = posix.dirname(path);
  const { fs } = await importPaths(cx, folder, [basename(path)]);
  return { fs, path: `/${basename(path)}` };
}
