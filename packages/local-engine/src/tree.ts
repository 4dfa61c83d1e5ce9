import { lstatSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { TgoError } from "@tgo/errors";
import type { Context } from "./context.js";
import { told } from "./events.js";
import {
  contentOf,
  contentOfFile,
  copyDirectory,
  copyOneFile,
  linkTree,
  mergesPlainly,
  treeDigest,
  type Attributes,
} from "./files.js";
import { lazy } from "./lazy.js";
import { resolveIn } from "./paths.js";
import { select, type Selection } from "./select.js";
import type { Location } from "./state.js";
import { EMPTY, keyOf, type Snapshot } from "./store.js";

/** Looks at a directory's or a file's real path, in the file system shown at `root`. */
export async function lookAt<T>(
  cx: Context,
  { fs, path }: Location,
  kind: "directory" | "file",
  look: (path: string, root: string) => Promise<T> | T,
): Promise<T> {
  return cx.views.look(await fs.get(), (root) => {
    const real = resolveIn(root, path);
    const info = lstatSync(real, { throwIfNoEntry: false });
    if (!(kind === "directory" ? info?.isDirectory() : info?.isFile()))
      throw new TgoError("SOURCE", info ? `this is not a ${kind}` : `no such ${kind}`, { where: path });
    return look(real, root);
  });
}

export async function exists(cx: Context, { fs, path }: Location): Promise<boolean> {
  const isThere = (root: string): boolean =>
    lstatSync(resolveIn(root, path), { throwIfNoEntry: false }) !== undefined;
  return cx.views.look(await fs.get(), isThere);
}

/** `fs` with the contents of a directory copied to `path`. */
export async function putDirectory(
  cx: Context,
  fs: Snapshot,
  path: string,
  source: Location,
  { exclude, include, owner, permissions, timestamp }: Selection & Attributes,
): Promise<Snapshot> {
  const from = await source.fs.get();
  const attributes = { owner, permissions, timestamp };
  const what = ["put directory", path, from.layers, source.path, exclude, include, attributes];
  return cx.views.step(fs, what, (root, later) =>
    lookAt(cx, source, "directory", async (real, view) => {
      const selected = select(real, { exclude, include });
      const isPlain = [owner || undefined, permissions, timestamp].every((value) => value === undefined);
      const layer = isPlain ? cx.views.soleLayer(from, real.slice(view.length)) : undefined;
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
  source: Location,
  { owner, permissions, timestamp }: Attributes,
): Promise<Snapshot> {
  const attributes = { owner, permissions, timestamp };
  const name = basename(source.path);
  // By content: a lock file is the same one whatever else changed beside it.
  const content = await fileContent(cx, source);
  return cx.views.step(fs, ["put file", path, name, content, attributes], (root) =>
    lookAt(cx, source, "file", (real) => copyOneFile(real, name, root, path, attributes)),
  );
}

export function fileContent(cx: Context, file: Location): Promise<string> {
  return lookAt(cx, file, "file", (real) => contentOfFile(real));
}

/** A directory of its own that holds only this, with these attributes. */
export function extracted(cx: Context, source: Location, how: Selection & Attributes): Location {
  return { fs: lazy(() => putDirectory(cx, EMPTY, "/", source, how)), path: "/" };
}

/**
 * The selected part of a directory. Its name in the store is the digest of its content, so that what is made of it is
 * made again only when something selected has changed.
 */
export function filtered(cx: Context, source: Location, selection: Selection): Location {
  return {
    fs: lazy(async () => namedByContent(cx, await putDirectory(cx, EMPTY, "/", source, selection))),
    path: "/",
  };
}

async function namedByContent(cx: Context, made: Snapshot): Promise<Snapshot> {
  const { store, views } = cx;
  const fact = `meta/content-${keyOf(made.layers)}.json`;
  const known = await store.readJson<Snapshot>(fact);
  if (known && store.isWhole(known)) return known;
  return views.look(made, async (root) => {
    const named = await views.layer(EMPTY, keyOf(["content", contentOf(root)]), (upper) => {
      linkTree(root, upper, undefined);
      return Promise.resolve();
    });
    await store.writeJson(fact, named);
    return named;
  });
}

/**
 * A directory of the host, copied into the store. Its name there is the digest of what was copied (paths, modes,
 * contents; not times), so nothing is copied when nothing has changed. Everything belongs to root.
 */
export async function importDirectory(cx: Context, path: string, selection: Selection): Promise<Location> {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw new TgoError("SOURCE", "no such directory on this machine", { where: path });
  return { fs: await importPaths(cx, path, select(path, selection)), path: "/" };
}

export async function importFile(cx: Context, path: string): Promise<Location> {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isFile())
    throw new TgoError("SOURCE", "no such file on this machine", { where: path });
  const name = basename(path);
  return { fs: await importPaths(cx, dirname(path), [name]), path: `/${name}` };
}

async function importPaths(cx: Context, path: string, selected: readonly string[] | undefined) {
  const { store, settings } = cx;
  const event = { kind: "import", title: path } as const;
  const imported = (key: string) => ({ layers: [`${key}/fs`] });
  const key = keyOf(["host", treeDigest(path, selected)]);
  if (store.isWhole(imported(key))) {
    settings.onEvent({ ...event, state: "cached" });
    return lazy(() => imported(key));
  }
  return told(settings.onEvent, event, () =>
    store.inWork(async (work) => {
      const folder = store.path(work, "step/fs");
      await mkdir(folder, { recursive: true });
      await copyDirectory(path, folder, "/", selected, { owner: "0:0" });
      // A file may have changed meanwhile: what was copied is what counts.
      const copied = keyOf(["host", treeDigest(folder)]);
      await store.keep(`${work}/step`, `s/${copied}`);
      return lazy(() => imported(copied));
    }),
  );
}
