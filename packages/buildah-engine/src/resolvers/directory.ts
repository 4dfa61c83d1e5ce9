import { lstatSync, readFileSync, statSync } from "node:fs";
import { chmod, copyFile, mkdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { dockerBuild } from "../dockerfile.js";
import {
  changeOwner,
  copyDifference,
  copyDirectory,
  makeDirectory,
  makeSymlink,
  remove,
  pathsBelow,
  treeDigest,
  writeNewFile,
} from "../files.js";
import { hostPlatform } from "../binfmt.js";
import { lazy } from "../lazy.js";
import { resolveIn } from "../paths.js";
import { matcher, sortedEntries, type Selection } from "../select.js";
import type { ContainerState, DirectoryState, FileState, SecretState } from "../state.js";
import { EMPTY, sha256, type Snapshot } from "../store.js";
import { below, extracted, lookAt, lookAtPresent, putDirectory, putFile } from "../tree.js";
import { emptyContainer } from "./container.js";
import type { Field, Fields, Session } from "./fields.js";

interface Attributed {
  readonly owner?: string;
  readonly permissions?: number;
}

/** A field that edits the file system below the directory. */
function edit<A>(
  make: (fs: Snapshot, args: A, session: Session, state: DirectoryState) => Promise<Snapshot>,
): Field<DirectoryState, A> {
  return (state, args, session) => ({
    ...state,
    fs: lazy(async () => make(await state.fs.get(), args, session, state)),
  });
}

const picked = ({ exclude, include, gitignore }: Selection): Selection => ({ exclude, include, gitignore });
const attributed = ({ owner, permissions }: Attributed): Attributed => ({ owner, permissions });

export const directoryFields = {
  sync: async (state: DirectoryState, _: object, { cx }, self) =>
    lookAtPresent(cx, state, "directory", () => self.id),
  name: (state: DirectoryState) => basename(state.path),
  digest: (state: DirectoryState, _: object, { cx }) =>
    lookAtPresent(cx, state, "directory", (path) => treeDigest(path)),
  entries: (state: DirectoryState, { path }: { path?: string }, { cx }) =>
    lookAtPresent(cx, { ...state, path: below(state, path ?? "/") }, "directory", (real) =>
      sortedEntries(real).map((entry) => entry.name + (entry.isDirectory() ? "/" : "")),
    ),
  glob: (state: DirectoryState, { pattern }: { pattern: string }, { cx }) =>
    lookAtPresent(cx, state, "directory", (real) => globbed(real, pattern)),
  exists: (state: DirectoryState, args: ExistsArguments, { cx }) =>
    pathExists(cx, { ...state, path: below(state, args.path) }, args),
  directory: (state: DirectoryState, { path }: { path: string }) => ({ ...state, path: below(state, path) }),
  file: (state: DirectoryState, { path }: { path: string }): FileState => ({
    fs: state.fs,
    path: below(state, path),
  }),

  withDirectory: edit(
    async (fs, args: { path: string; source: string } & Selection & Attributed, { cx, load }, state) =>
      putDirectory(
        cx,
        fs,
        below(state, args.path),
        await load(args.source, "Directory"),
        picked(args),
        attributed(args),
      ),
  ),
  withFile: edit(async (fs, args: { path: string; source: string } & Attributed, { cx, load }, state) =>
    putFile(
      cx,
      fs,
      slashed(below(state, args.path), args.path),
      await load(args.source, "File"),
      attributed(args),
    ),
  ),
  withFiles: edit(
    async (
      fs,
      { path, sources, ...rest }: { path: string; sources: string[] } & Attributed,
      { cx, load },
      state,
    ) => {
      for (const source of sources)
        fs = await putFile(cx, fs, `${below(state, path)}/`, await load(source, "File"), attributed(rest));
      return fs;
    },
  ),
  withNewFile: edit(
    (
      fs,
      { path, contents, permissions }: { path: string; contents: string; permissions: number },
      { cx },
      state,
    ) =>
      cx.views.step(fs, ["new file", below(state, path), sha256(contents), permissions], (root) =>
        writeNewFile(root, below(state, path), contents, { permissions }),
      ),
  ),
  withNewDirectory: edit(
    (fs, { path, permissions }: { path: string; permissions: number }, { cx }, state) => {
      // The schema's default is 0644 (420), with which nobody could enter: Dagger makes 0755 of it.
      const mode = permissions === 0o644 ? 0o755 : permissions;
      return cx.views.step(fs, ["new directory", below(state, path), mode], (root) =>
        makeDirectory(root, below(state, path), mode),
      );
    },
  ),
  withSymlink: edit((fs, { target, linkName }: { target: string; linkName: string }, { cx }, state) =>
    cx.views.step(fs, ["symlink", target, below(state, linkName)], (root) =>
      makeSymlink(root, target, below(state, linkName)),
    ),
  ),
  withoutDirectory: edit((fs, { path }: { path: string }, { cx }, state) =>
    without(cx, fs, [below(state, path)]),
  ),
  withoutFile: edit((fs, { path }: { path: string }, { cx }, state) => without(cx, fs, [below(state, path)])),
  withoutFiles: edit((fs, { paths }: { paths: string[] }, { cx }, state) =>
    without(
      cx,
      fs,
      paths.map((path) => below(state, path)),
    ),
  ),
  chown: edit((fs, { path, owner }: { path: string; owner: string }, { cx }, state) =>
    cx.views.step(fs, ["chown", below(state, path), owner], (root) =>
      changeOwner(root, below(state, path), owner),
    ),
  ),
  withTimestamps: (state: DirectoryState, { timestamp }: { timestamp: number }, { cx }) =>
    extracted(cx, state, {}, { timestamp }),
  filter: (state: DirectoryState, selection: Selection, { cx }) => extracted(cx, state, picked(selection)),
  diff: (state: DirectoryState, { other }: { other: string }, { cx, load }): DirectoryState => ({
    path: "/",
    fs: lazy(async () => {
      const changed = await load<DirectoryState>(other, "Directory");
      const [base, top] = [await state.fs.get(), await changed.fs.get()];
      return cx.views.step(EMPTY, ["diff", base.layers, state.path, top.layers, changed.path], (root) =>
        lookAtPresent(cx, state, "directory", (from) =>
          lookAtPresent(cx, changed, "directory", (to) => copyDifference(from, to, root)),
        ),
      );
    }),
  }),

  dockerBuild: async (
    state: DirectoryState,
    args: DockerBuildArguments,
    { cx, load },
  ): Promise<ContainerState> => {
    const secrets = await Promise.all(args.secrets.map((id) => load<SecretState>(id, "Secret")));
    const platform = args.platform ?? hostPlatform();
    const { fs, ...image } = await dockerBuild(cx, state, { ...args, platform, secrets });
    return { ...emptyContainer(platform), ...image, fs: lazy(() => fs) };
  },
  export: (state: DirectoryState, { path, wipe }: { path: string; wipe: boolean }, { cx }) =>
    lookAtPresent(cx, state, "directory", async (real) => {
      const target = resolve(path);
      if (wipe) await rm(target, { recursive: true, force: true });
      await mkdir(target, { recursive: true });
      await copyDirectory(real, target, "/", undefined);
      return target;
    }),
} satisfies Fields<DirectoryState>;

interface DockerBuildArguments {
  readonly dockerfile: string;
  readonly platform?: string;
  readonly buildArgs: readonly { name: string; value: string }[];
  readonly target: string;
  readonly secrets: readonly string[];
}

export interface ExistsArguments {
  readonly path: string;
  readonly expectedType?: "REGULAR_TYPE" | "DIRECTORY_TYPE" | "SYMLINK_TYPE";
  readonly doNotFollowSymlinks: boolean;
}

export function pathExists(
  cx: Session["cx"],
  at: DirectoryState,
  { expectedType, doNotFollowSymlinks }: ExistsArguments,
): Promise<boolean> {
  return lookAt(cx, at, (_, root) => {
    const link = expectedType === "SYMLINK_TYPE";
    const info = lstatSync(resolveIn(root, at.path, !link && !doNotFollowSymlinks), {
      throwIfNoEntry: false,
    });
    if (info === undefined || expectedType === undefined) return info !== undefined;
    return link
      ? info.isSymbolicLink()
      : expectedType === "DIRECTORY_TYPE"
        ? info.isDirectory()
        : info.isFile();
  });
}

export function without(cx: Session["cx"], fs: Snapshot, paths: readonly string[]): Promise<Snapshot> {
  return cx.views.step(fs, ["remove", paths], (root) => remove(root, paths));
}

/** A path's trailing slash says "into this directory"; normalising lost it. */
export function slashed(path: string, given: string): string {
  return given.endsWith("/") ? `${path}/` : path;
}

function globbed(root: string, pattern: string): string[] {
  const matches = matcher([pattern]);
  return [...pathsBelow(root)]
    .filter((path) => matches(path))
    .map((path) => path + (lstatSync(join(root, path)).isDirectory() ? "/" : ""));
}

export const fileFields = {
  sync: (state: FileState, _: object, { cx }, self) => lookAtPresent(cx, state, "file", () => self.id),
  name: (state: FileState) => state.name ?? basename(state.path),
  size: (state: FileState, _: object, { cx }) =>
    lookAtPresent(cx, state, "file", (path) => statSync(path).size),
  digest: (state: FileState, _: object, { cx }) =>
    lookAtPresent(cx, state, "file", (path) => sha256(readFileSync(path))),
  contents: (
    state: FileState,
    { offsetLines = 0, limitLines }: { offsetLines?: number; limitLines?: number },
    { cx },
  ) =>
    lookAtPresent(cx, state, "file", (path) => {
      const text = readFileSync(path, "utf8");
      if (offsetLines === 0 && limitLines === undefined) return text;
      return text
        .split(/(?<=\n)/)
        .slice(offsetLines, limitLines === undefined ? undefined : offsetLines + limitLines)
        .join("");
    }),
  withName: (state: FileState, { name }: { name: string }): FileState => ({ ...state, name }),
  withTimestamps: (state: FileState, { timestamp }: { timestamp: number }, { cx }): FileState => {
    const name = state.name ?? basename(state.path);
    return { fs: lazy(() => putFile(cx, EMPTY, `/${name}`, state, { timestamp })), path: `/${name}` };
  },
  export: (state: FileState, { path }: { path: string }, { cx }) =>
    lookAtPresent(cx, state, "file", async (real) => {
      const target = resolve(path);
      await mkdir(dirname(target), { recursive: true });
      await copyFile(real, target);
      await chmod(target, (await stat(real)).mode & 0o7777);
      return target;
    }),
} satisfies Fields<FileState>;
