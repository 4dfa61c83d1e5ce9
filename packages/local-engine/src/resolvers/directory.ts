import { lstatSync, readFileSync, statSync } from "node:fs";
import { chmod, copyFile, mkdir, stat } from "node:fs/promises";
import { basename, dirname, join, posix, resolve } from "node:path";
import { hostPlatform } from "../binfmt.js";
import { dockerBuild } from "../dockerfile.js";
import { copyDifference, copyDirectory, pathsBelow, treeDigest } from "../files.js";
import { lazy } from "../lazy.js";
import { absolute } from "../paths.js";
import { matcher, sortedEntries, type Selection } from "../select.js";
import type { ContainerState, Location, SecretState } from "../state.js";
import { EMPTY, sha256 } from "../store.js";
import { exists, extracted, filtered, lookAt, putFile } from "../tree.js";
import { emptyContainer } from "./container.js";
import { editFields } from "./edits.js";
import type { Fields } from "./fields.js";

interface Located {
  readonly path: string;
}

function below(directory: Location, path: string): Location {
  return { fs: directory.fs, path: posix.join(directory.path, absolute(path)) };
}

export const directoryFields = {
  ...editFields((state: Location, path) => below(state, path).path),

  sync: (state: Location, _: object, { cx }, self) => lookAt(cx, state, "directory", () => self.id),
  digest: (state: Location, _: object, { cx }) => lookAt(cx, state, "directory", (path) => treeDigest(path)),
  entries: (state: Location, { path = "/" }: Partial<Located>, { cx }) =>
    lookAt(cx, below(state, path), "directory", (real) =>
      sortedEntries(real).map((entry) => entry.name + (entry.isDirectory() ? "/" : "")),
    ),
  glob: (state: Location, { pattern }: { pattern: string }, { cx }) =>
    lookAt(cx, state, "directory", (real) =>
      [...pathsBelow(real)]
        .filter(matcher([pattern]))
        .map((path) => path + (lstatSync(join(real, path)).isDirectory() ? "/" : "")),
    ),
  exists: (state: Location, { path }: Located, { cx }) => exists(cx, below(state, path)),
  directory: (state: Location, { path }: Located) => below(state, path),
  file: (state: Location, { path }: Located) => below(state, path),
  withTimestamps: (state: Location, { timestamp }: { timestamp: number }, { cx }) =>
    extracted(cx, state, { timestamp }),
  filter: (state: Location, selection: Selection, { cx }) => filtered(cx, state, selection),
  diff: (state: Location, { other }: { other: string }, { cx, load }): Location => ({
    path: "/",
    fs: lazy(async () => {
      const changed = await load<Location>(other, "Directory");
      const [base, top] = [await state.fs.get(), await changed.fs.get()];
      return cx.views.step(EMPTY, ["diff", base.layers, state.path, top.layers, changed.path], (root) =>
        lookAt(cx, state, "directory", (from) =>
          lookAt(cx, changed, "directory", (to) => copyDifference(from, to, root)),
        ),
      );
    }),
  }),

  dockerBuild: async (state: Location, args: DockerBuildArguments, { cx, load }): Promise<ContainerState> => {
    const secrets = await Promise.all(args.secrets.map((id) => load<SecretState>(id, "Secret")));
    const platform = args.platform ?? hostPlatform();
    const { fs, ...image } = await dockerBuild(cx, state, { ...args, platform, secrets });
    return { ...emptyContainer(platform), ...image, fs: lazy(() => fs) };
  },
  export: (state: Location, { path }: Located, { cx }) =>
    lookAt(cx, state, "directory", async (real) => {
      const target = resolve(path);
      await mkdir(target, { recursive: true });
      await copyDirectory(real, target, "/", undefined);
      return target;
    }),
} satisfies Fields<Location>;

interface DockerBuildArguments {
  readonly dockerfile: string;
  readonly platform?: string;
  readonly buildArgs: readonly { name: string; value: string }[];
  readonly target: string;
  readonly secrets: readonly string[];
}

export const fileFields = {
  sync: (state: Location, _: object, { cx }, self) => lookAt(cx, state, "file", () => self.id),
  name: (state: Location) => basename(state.path),
  size: (state: Location, _: object, { cx }) => lookAt(cx, state, "file", (path) => statSync(path).size),
  digest: (state: Location, _: object, { cx }) =>
    lookAt(cx, state, "file", (path) => sha256(readFileSync(path))),
  contents: (state: Location, _: object, { cx }) =>
    lookAt(cx, state, "file", (path) => readFileSync(path, "utf8")),
  withTimestamps: (state: Location, { timestamp }: { timestamp: number }, { cx }): Location => {
    const path = `/${basename(state.path)}`;
    return { fs: lazy(() => putFile(cx, EMPTY, path, state, { timestamp })), path };
  },
  export: (state: Location, { path }: Located, { cx }) =>
    lookAt(cx, state, "file", async (real) => {
      const target = resolve(path);
      await mkdir(dirname(target), { recursive: true });
      await copyFile(real, target);
      await chmod(target, (await stat(real)).mode & 0o7777);
      return target;
    }),
} satisfies Fields<Location>;
