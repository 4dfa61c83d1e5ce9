import { basename } from "node:path";
import type { Context } from "../context.js";
import { lazy } from "../lazy.js";
import { keyOf } from "../store/keys.js";
import { EMPTY, type Snapshot } from "../store/snapshot.js";
import { copyDirectory, copyOneFile, type Attributes } from "./copy.js";
import { hardLinkTree, isPlainMerge, linkSources } from "./hard-links.js";
import { digestOfFile, withLocation, type Location } from "./location.js";
import { resolveIn } from "./paths.js";
import { select, type Selection } from "./select.js";
import { layerDigest, ownedTreeDigest } from "./tree-digest.js";

/** `fs` with the contents of a directory copied to `path`. */
export async function putDirectory(
  cx: Context,
  fs: Snapshot,
  path: string,
  source: Location,
  how: Selection & Attributes,
): Promise<Snapshot> {
  const from = await source.fs.get();
  const { exclude, include, owner, permissions, timestamp } = how;
  const key = [
    ...["put directory", path, from.layers, source.path, exclude, include],
    { owner, permissions, timestamp },
  ];
  return cx.snapshots.step(fs, key, (root, afterUnmount) =>
    withLocation(cx, source, "directory", async (real, mounted) => {
      const selected = select(real, how);
      const isUnchanged = [owner || undefined, permissions, timestamp].every((value) => value === undefined);
      const layers = isUnchanged ? cx.snapshots.layersWith(from, real.slice(mounted.length)) : [];
      const target = resolveIn(root, path);
      if (layers.length === 0 || !isPlainMerge(real, target, selected))
        return copyDirectory(real, root, path, selected, how);
      // Layers never change, so both can share the unchanged files.
      await copyDirectory(real, root, path, []);
      const below = target.slice(root.length);
      const sources = linkSources(real, layers, selected);
      afterUnmount((upper) => {
        hardLinkTree(sources, upper + below);
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
  const attributes = {
    ...(owner === undefined ? {} : { owner }),
    ...(permissions === undefined ? {} : { permissions }),
    ...(timestamp === undefined ? {} : { timestamp }),
  };
  const name = basename(source.path);
  // Keyed by content: a lock file stays the same whatever else changes next to it.
  const content = await digestOfFile(cx, source);
  return cx.snapshots.step(fs, ["put file", path, name, content, attributes], (root) =>
    withLocation(cx, source, "file", (real) => copyOneFile({ path: real, name }, root, path, attributes)),
  );
}

/** A directory with only the selected part of the source, with these attributes. */
export function copyOf(cx: Context, source: Location, how: Selection & Attributes): Location {
  return { fs: lazy(() => putDirectory(cx, EMPTY, "/", source, how)), path: "/" };
}

/**
 * The selected part of a directory, keyed by its content: steps that use it are repeated only when something selected has
 * changed. Its times may be those of another directory with the same content, unless they count too.
 */
export function filterDirectory(
  cx: Context,
  source: Location,
  selection: Selection,
  key: "content" | "content and times" = "content",
): Location {
  return {
    fs: lazy(async () => keyedBy(key, cx, await putDirectory(cx, EMPTY, "/", source, selection))),
    path: "/",
  };
}

async function keyedBy(
  key: "content" | "content and times",
  cx: Context,
  snapshot: Snapshot,
): Promise<Snapshot> {
  const { store, snapshots } = cx;
  const [digest, name] = key === "content" ? [ownedTreeDigest, "content"] : [layerDigest, "layer"];
  const entry = `meta/${name}-${keyOf(snapshot.layers)}.json`;
  const known = await store.readJson<Snapshot>(entry);
  if (known && store.isComplete(known)) return known;
  return snapshots.mount(snapshot, async (root) => {
    const keyed = await snapshots.addLayer(EMPTY, keyOf([key, digest(root)]), (upper) => {
      hardLinkTree(linkSources(root, [root], undefined), upper);
      return Promise.resolve();
    });
    await store.writeJson(entry, keyed);
    return keyed;
  });
}
