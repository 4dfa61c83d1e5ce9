import { lstatSync } from "node:fs";
import { basename, dirname } from "node:path";
import { TgoError } from "@tgo/errors";
import type { Context } from "../context.js";
import { withEvents } from "../events.js";
import { lazy, type Lazy } from "../lazy.js";
import { keyOf } from "../store/keys.js";
import type { Snapshot } from "../store/snapshot.js";
import { copyDirectory } from "./copy.js";
import type { Location } from "./location.js";
import { makeFolder } from "./plain-modes.js";
import { select, type Selection } from "./select.js";
import { treeDigest } from "./tree-digest.js";

/**
 * Copies a directory of the host into the store. Its key is the digest of the copied paths, modes and contents (not times),
 * so nothing is copied when nothing has changed. Everything belongs to root.
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

async function importPaths(
  { store, settings }: Context,
  path: string,
  selected: readonly string[] | undefined,
): Promise<Lazy<Snapshot>> {
  const event = { kind: "import", title: path } as const;
  const imported = (key: string): Snapshot => ({ layers: [`${key}/fs`] });
  const key = keyOf(["host", treeDigest(path, selected)]);
  if (store.isComplete(imported(key))) {
    settings.onEvent({ ...event, state: "cached" });
    return lazy(() => imported(key));
  }
  return withEvents(settings.onEvent, event, () =>
    store.withWorkFolder(async (work) => {
      const folder = store.path(work, "step/fs");
      await makeFolder(folder);
      await copyDirectory(path, folder, "/", selected, { owner: "0:0" });
      // Keyed by the copy, because a file may have changed meanwhile.
      const copied = keyOf(["host", treeDigest(folder)]);
      await store.keep(`${work}/step`, `s/${copied}`);
      return lazy(() => imported(copied));
    }),
  );
}
