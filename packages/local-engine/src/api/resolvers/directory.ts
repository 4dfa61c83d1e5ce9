import { lstatSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join, posix, resolve } from "node:path";
import { buildDockerfile } from "../../dockerfile/build-dockerfile.js";
import { hostPlatform } from "../../emulation.js";
import { copyDifference, copyDirectory } from "../../files/copy.js";
import { locationExists, withLocation, type Location } from "../../files/location.js";
import { absolute } from "../../files/paths.js";
import { copyOf, filterDirectory } from "../../files/put.js";
import { matcher, type Selection } from "../../files/select.js";
import { treeDigest } from "../../files/tree-digest.js";
import { pathsBelow, sortedEntries } from "../../files/walk.js";
import { lazy } from "../../lazy.js";
import type { ContainerState, SecretState } from "../../state.js";
import { EMPTY } from "../../store/snapshot.js";
import { emptyContainer } from "./container.js";
import { editFields } from "./edits.js";
import type { Fields } from "./field.js";

interface PathArgument {
  readonly path: string;
}

function below(directory: Location, path: string): Location {
  return { fs: directory.fs, path: posix.join(directory.path, absolute(path)) };
}

export const directoryFields = {
  ...editFields((state: Location, path) => below(state, path).path),

  sync: (state: Location, _: object, { cx }, self) => withLocation(cx, state, "directory", () => self.id),
  digest: (state: Location, _: object, { cx }) =>
    withLocation(cx, state, "directory", (path) => treeDigest(path)),
  entries: (state: Location, { path = "/" }: Partial<PathArgument>, { cx }) =>
    withLocation(cx, below(state, path), "directory", (real) =>
      sortedEntries(real).map((entry) => entry.name + (entry.isDirectory() ? "/" : "")),
    ),
  glob: (state: Location, { pattern }: { pattern: string }, { cx }) =>
    withLocation(cx, state, "directory", (real) =>
      [...pathsBelow(real)]
        .filter(matcher([pattern]))
        .map((path) => path + (lstatSync(join(real, path)).isDirectory() ? "/" : "")),
    ),
  exists: (state: Location, { path }: PathArgument, { cx }) => locationExists(cx, below(state, path)),
  directory: (state: Location, { path }: PathArgument) => below(state, path),
  file: (state: Location, { path }: PathArgument) => below(state, path),
  withTimestamps: (state: Location, { timestamp }: { timestamp: number }, { cx }) =>
    copyOf(cx, state, { timestamp }),
  filter: (state: Location, selection: Selection, { cx }) => filterDirectory(cx, state, selection),
  diff: (state: Location, { other }: { other: string }, { cx, load }): Location => ({
    path: "/",
    fs: lazy(async () => {
      const changed = await load<Location>(other, "Directory");
      const [base, top] = [await state.fs.get(), await changed.fs.get()];
      return cx.snapshots.step(EMPTY, ["diff", base.layers, state.path, top.layers, changed.path], (root) =>
        withLocation(cx, state, "directory", (from) =>
          withLocation(cx, changed, "directory", (to) => copyDifference(from, to, root)),
        ),
      );
    }),
  }),

  dockerBuild: async (state: Location, args: DockerBuildArguments, { cx, load }): Promise<ContainerState> => {
    const secrets = await Promise.all(args.secrets.map((id) => load<SecretState>(id, "Secret")));
    const platform = args.platform ?? hostPlatform();
    const { fs, ...image } = await buildDockerfile(cx, state, { ...args, platform, secrets });
    return { ...emptyContainer(platform), ...image, fs: lazy(() => fs) };
  },
  export: (state: Location, { path }: PathArgument, { cx }) =>
    withLocation(cx, state, "directory", async (real) => {
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
