import { makeDirectory, makeSymlink, remove, writeNewFile, type Attributes } from "../files.js";
import { lazy, type Lazy } from "../lazy.js";
import type { Selection } from "../select.js";
import type { Location } from "../state.js";
import { sha256, type Snapshot } from "../store.js";
import { putDirectory, putFile } from "../tree.js";
import type { Field, Session } from "./fields.js";

type Edit<A> = (fs: Snapshot, path: string, args: A, session: Session) => Promise<Snapshot>;

interface Content {
  readonly contents: string;
}

interface Source {
  readonly source: string;
}

const removed: Edit<object> = (fs, path, _, { cx }) =>
  cx.views.step(fs, ["remove", path], (root) => remove(root, path));

/** What changes the files at a path. */
const EDITS = {
  withDirectory: async (fs, path, args: Source & Selection & Attributes, { cx, load }) =>
    putDirectory(cx, fs, path, await load<Location>(args.source, "Directory"), args),
  withFile: async (fs, path, args: Source & Attributes, { cx, load }) =>
    putFile(cx, fs, path, await load<Location>(args.source, "File"), args),
  withNewFile: (fs, path, { contents, owner, permissions }: Content & Attributes, { cx }) =>
    cx.views.step(fs, ["new file", path, sha256(contents), owner, permissions], (root) =>
      writeNewFile(root, path, contents, { owner, permissions }),
    ),
  withNewDirectory: (fs, path, { permissions }: { permissions: number }, { cx }) => {
    // The schema's default is 0644 (420), with which nobody could enter: Dagger makes 0755 of it.
    const mode = permissions === 0o644 ? 0o755 : permissions;
    return cx.views.step(fs, ["new directory", path, mode], (root) => makeDirectory(root, path, mode));
  },
  withSymlink: (fs, path, { target }: { target: string }, { cx }) =>
    cx.views.step(fs, ["symlink", target, path], (root) => makeSymlink(root, target, path)),
  withoutDirectory: removed,
  withoutFile: removed,
} satisfies Record<string, Edit<never>>;

/**
 * The edits as fields of a type.
 * @param locate where a path that is given to the object lies in its file system
 */
export function editFields<S extends { readonly fs: Lazy<Snapshot> }>(
  locate: (state: S, path: string) => string,
): Record<keyof typeof EDITS, Field<S, never>> {
  const field =
    (edit: Edit<never>): Field<S, { path: string; linkName?: string }> =>
    (state, args, session) => {
      const given = args.linkName ?? args.path;
      // A trailing slash says "into this directory".
      const path = locate(state, given) + (given.endsWith("/") ? "/" : "");
      return { ...state, fs: lazy(async () => edit(await state.fs.get(), path, args as never, session)) };
    };
  const fields = Object.entries(EDITS).map(([name, edit]) => [name, field(edit)]);
  return Object.fromEntries(fields) as Record<keyof typeof EDITS, Field<S, never>>;
}
