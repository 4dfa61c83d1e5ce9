import type { Attributes } from "../../files/copy.js";
import { makeDirectory, makeSymlink, remove, writeNewFile } from "../../files/edit.js";
import type { Location } from "../../files/location.js";
import { putDirectory, putFile } from "../../files/put.js";
import type { Selection } from "../../files/select.js";
import { lazy, type Lazy } from "../../lazy.js";
import { textDigest } from "../../store/keys.js";
import type { Snapshot } from "../../store/snapshot.js";
import type { Field, Session } from "./field.js";

type Edit<A> = (fs: Snapshot, path: string, args: A, session: Session) => Promise<Snapshot>;

interface Content {
  readonly contents: string;
}

interface Source {
  readonly source: string;
}

const removed: Edit<object> = (fs, path, _, { cx }) =>
  cx.snapshots.step(fs, ["remove", path], (root) => remove(root, path));

/** The fields that change files, of containers and directories alike. */
const EDITS = {
  withDirectory: async (fs, path, args: Source & Selection & Attributes, { cx, load }) =>
    putDirectory(cx, fs, path, await load<Location>(args.source, "Directory"), args),
  withFile: async (fs, path, args: Source & Attributes, { cx, load }) =>
    putFile(cx, fs, path, await load<Location>(args.source, "File"), args),
  withNewFile: (fs, path, { contents, ...how }: Content & Attributes, { cx }) =>
    cx.snapshots.step(fs, ["new file", path, textDigest(contents), how.owner, how.permissions], (root) =>
      writeNewFile(root, path, contents, how),
    ),
  withNewDirectory: (fs, path, { permissions }: { permissions: number }, { cx }) => {
    // The schema's default is 0644 (420), which nobody could enter: Dagger turns it into 0755.
    const mode = permissions === 0o644 ? 0o755 : permissions;
    return cx.snapshots.step(fs, ["new directory", path, mode], (root) => makeDirectory(root, path, mode));
  },
  withSymlink: (fs, path, { target }: { target: string }, { cx }) =>
    cx.snapshots.step(fs, ["symlink", target, path], (root) => makeSymlink(root, target, path)),
  withoutDirectory: removed,
  withoutFile: removed,
} satisfies Record<string, Edit<never>>;

/**
 * The edits as fields of a type.
 * @param locate resolves a path given to the object in its file system
 */
export function editFields<S extends { readonly fs: Lazy<Snapshot> }>(
  locate: (state: S, path: string) => string,
): Record<keyof typeof EDITS, Field<S, never>> {
  const fieldOf =
    (edit: Edit<never>): Field<S, { path: string; linkName?: string }> =>
    (state, args, session) => {
      const given = args.linkName ?? args.path;
      // A trailing slash means "into this directory".
      const path = locate(state, given) + (given.endsWith("/") ? "/" : "");
      return { ...state, fs: lazy(async () => edit(await state.fs.get(), path, args as never, session)) };
    };
  const fields = Object.entries(EDITS).map(([name, edit]) => [name, fieldOf(edit)]);
  return Object.fromEntries(fields) as Record<keyof typeof EDITS, Field<S, never>>;
}
