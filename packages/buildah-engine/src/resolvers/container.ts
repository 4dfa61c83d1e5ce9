import { resolve } from "node:path";
import { TgoError } from "@tgo/errors";
import type { ExecOptions } from "../exec.js";
import { makeSymlink, writeNewFile } from "../files.js";
import { lazy } from "../lazy.js";
import { absolute } from "../paths.js";
import { publish, writeTarball } from "../publish.js";
import type { Selection } from "../select.js";
import type {
  CacheState,
  ContainerState,
  DirectoryState,
  ExecResult,
  FileState,
  Mount,
  SecretState,
  ServiceState,
} from "../state.js";
import { EMPTY, sha256, type Snapshot } from "../store.js";
import { extracted, putDirectory, putFile } from "../tree.js";
import { configFields, withEnv } from "./config.js";
import { pathExists, slashed, without, type ExistsArguments } from "./directory.js";
import type { Field, Fields, Session } from "./fields.js";

interface Expanding {
  readonly expand?: boolean;
}

interface Attributed {
  readonly owner?: string;
  readonly permissions?: number;
}

export function emptyContainer(platform: string): ContainerState {
  return {
    platform,
    fs: lazy(() => EMPTY),
    config: {},
    ports: [],
    mounts: [],
    secrets: [],
    bindings: [],
    auth: [],
    annotations: {},
  };
}

/** `$NAME` and `${NAME}` from the container's own environment. */
export function expandVariables(state: ContainerState, text: string): string {
  const value = (name: string): string => {
    const item = state.config.Env?.find((entry) => entry.startsWith(`${name}=`));
    return item?.slice(name.length + 1) ?? "";
  };
  return text.replace(/\$(?:\{(\w+)\}|(\w+))/g, (_, braced?: string, bare?: string) =>
    value(braced ?? bare ?? ""),
  );
}

function pathOf(state: ContainerState, path: string, { expand }: Expanding): string {
  return absolute(expand === true ? expandVariables(state, path) : path, state.config.WorkingDir);
}

/** Where a path lies: in a mounted tree, with the path there, or in the root file system. */
function locate(state: ContainerState, path: string): { mount: Mount | undefined; at: DirectoryState } {
  const mounts = state.mounts.filter((mount) => path === mount.path || path.startsWith(`${mount.path}/`));
  const mount = mounts.sort((a, b) => b.path.length - a.path.length)[0];
  if (mount?.kind === "tree" || mount?.kind === "file")
    return {
      mount,
      at: {
        fs: mount.from.fs,
        path: mount.from.path.replace(/\/$/, "") + path.slice(mount.path.length) || "/",
      },
    };
  if (mount)
    throw new TgoError("USAGE", `what lies in a mounted ${mount.kind} cannot be taken from the container`, {
      where: path,
      remedy: "copy it elsewhere with withExec first",
    });
  return { mount, at: { fs: state.fs, path } };
}

/** The state with another file system at the path: the root's, or that of the tree mounted there. */
function edited(
  state: ContainerState,
  path: string,
  make: (fs: Snapshot, path: string) => Promise<Snapshot>,
): ContainerState {
  const { mount, at } = locate(state, path);
  const fs = lazy(async () => make(await at.fs.get(), slashed(at.path, path)));
  if (mount?.kind !== "tree") return { ...state, fs, imageRef: undefined };
  return {
    ...state,
    mounts: state.mounts.map((m) => (m === mount ? { ...mount, from: { ...mount.from, fs } } : m)),
  };
}

/** A field that edits files at its `path`. */
function edit<A extends { readonly path: string } & Expanding>(
  make: (fs: Snapshot, path: string, args: A, session: Session) => Promise<Snapshot>,
): Field<ContainerState, A> {
  return (state, args, session) => {
    const path = slashed(pathOf(state, args.path, args), args.path);
    return edited(state, path, (fs, at) => make(fs, at, args, session));
  };
}

/** A field that mounts something at its `path`, instead of what was mounted there. */
function mount<A extends { readonly path: string } & Expanding>(
  make: (path: string, args: A, session: Session) => Promise<Mount> | Mount,
): Field<ContainerState, A> {
  return async (state, args, session) => {
    const path = pathOf(state, args.path, args);
    const others = state.mounts.filter((other) => other.path !== path);
    return { ...state, mounts: [...others, await make(path, args, session)] };
  };
}

const picked = ({ exclude, include, gitignore }: Selection): Selection => ({ exclude, include, gitignore });
const attributed = ({ owner, permissions }: Attributed): Attributed => ({ owner, permissions });

interface ExecArguments {
  readonly args: readonly string[];
  readonly useEntrypoint: boolean;
  readonly stdin: string;
  readonly redirectStdout: string;
  readonly redirectStderr: string;
  readonly expect: "SUCCESS" | "FAILURE" | "ANY";
  readonly expand: boolean;
}

/** The whole command: with the entrypoint if asked for, the default arguments when none are given. */
function commandLine(
  state: ContainerState,
  args: readonly string[],
  useEntrypoint: boolean,
  expand: boolean,
): string[] {
  const own = args.length > 0 ? args : (state.config.Cmd ?? []);
  const all = [...(useEntrypoint ? (state.config.Entrypoint ?? []) : []), ...own];
  if (all.length === 0)
    throw new TgoError("USAGE", "no command to run", {
      remedy: "give args, or set default arguments or an entrypoint",
    });
  return expand ? all.map((arg) => expandVariables(state, arg)) : all;
}

function executed(state: ContainerState, options: ExecOptions, { cx }: Session): ContainerState {
  const lastExec = lazy(() => cx.execs.run(state, options));
  const after = (mounted: Mount): Mount => {
    if (mounted.kind !== "tree" && mounted.kind !== "file") return mounted;
    const fs = lazy(async () => (await lastExec.get()).mounts[mounted.path] ?? mounted.from.fs.get());
    // The owner was given to the files before the command ran.
    return mounted.kind === "tree"
      ? { ...mounted, owner: "", from: { ...mounted.from, fs } }
      : { ...mounted, owner: "", from: { ...mounted.from, fs } };
  };
  return {
    ...state,
    imageRef: undefined,
    lastExec,
    fs: lazy(async () => (await lastExec.get()).fs),
    mounts: state.mounts.map(after),
  };
}

/** A part of the last command's result; a container that ran none runs its default command. */
async function lastResult(state: ContainerState, session: Session): Promise<ExecResult> {
  const { lastExec } = state.lastExec
    ? state
    : executed(state, { args: commandLine(state, [], true, false) }, session);
  if (!lastExec) throw new Error("a container that ran a command has its result");
  return lastExec.get();
}

interface ImageArguments {
  readonly platformVariants: readonly string[];
  readonly mediaTypes: string;
  readonly forcedCompression?: string;
}

/** The container itself, unless it is empty, and the variants. */
async function variantsOf(
  state: ContainerState,
  { platformVariants, forcedCompression }: ImageArguments,
  { load }: Session,
): Promise<ContainerState[]> {
  if (forcedCompression !== undefined && forcedCompression.toLowerCase() !== "gzip")
    throw new TgoError("USAGE", `the embedded engine compresses with gzip only, not ${forcedCompression}`);
  const others = await Promise.all(platformVariants.map((id) => load<ContainerState>(id, "Container")));
  const own = (await state.fs.get()).layers.length > 0 ? [state] : [];
  const all = [...own, ...others];
  if (all.length === 0) throw new TgoError("USAGE", "there is nothing in this container to publish");
  return all;
}

const mediaTypes = (args: ImageArguments): "oci" | "docker" =>
  args.mediaTypes.startsWith("Docker") || args.mediaTypes === "DOCKER" ? "docker" : "oci";

async function serviceOf(id: string | undefined, { load }: Session): Promise<ServiceState | undefined> {
  return id === undefined ? undefined : load<ServiceState>(id, "Service");
}

export const containerFields = {
  ...configFields,

  sync: async (state: ContainerState, _: object, __, self) => {
    await state.fs.get();
    return self.id;
  },
  platform: (state: ContainerState) => state.platform,
  imageRef: (state: ContainerState) => {
    if (state.imageRef !== undefined) return state.imageRef;
    throw new TgoError("USAGE", "imageRef can only be retrieved immediately after from");
  },
  from: async (state: ContainerState, args: { address: string; registryService?: string }, session) => {
    const { cx } = session;
    const service = await serviceOf(args.registryService, session);
    const { fs, config, ...image } = await cx.images.pull(args.address, state.platform, {
      auth: state.auth,
      service,
    });
    const own = state.config.Env ?? [];
    return {
      ...state,
      ...image,
      config: own.reduce(withEnv, config),
      fs: lazy(() => fs),
    };
  },

  rootfs: (state: ContainerState): DirectoryState => ({ fs: state.fs, path: "/" }),
  directory: (state: ContainerState, args: { path: string } & Expanding): DirectoryState =>
    locate(state, pathOf(state, args.path, args)).at,
  file: (state: ContainerState, args: { path: string } & Expanding): FileState =>
    locate(state, pathOf(state, args.path, args)).at,
  exists: (state: ContainerState, args: ExistsArguments & Expanding, { cx }) =>
    pathExists(cx, locate(state, pathOf(state, args.path, args)).at, args),
  mounts: (state: ContainerState) => state.mounts.map(({ path }) => path),

  withRootfs: async (state: ContainerState, { directory }: { directory: string }, { cx, load }) => {
    const source = await load<DirectoryState>(directory, "Directory");
    return { ...state, imageRef: undefined, fs: source.path === "/" ? source.fs : extracted(cx, source).fs };
  },
  withDirectory: edit(
    async (
      fs,
      path,
      args: { path: string; source: string } & Selection & Attributed & Expanding,
      { cx, load },
    ) => putDirectory(cx, fs, path, await load(args.source, "Directory"), picked(args), attributed(args)),
  ),
  withFile: edit(
    async (fs, path, args: { path: string; source: string } & Attributed & Expanding, { cx, load }) =>
      putFile(cx, fs, path, await load(args.source, "File"), attributed(args)),
  ),
  withFiles: edit(
    async (
      fs,
      path,
      { sources, ...rest }: { path: string; sources: string[] } & Attributed & Expanding,
      { cx, load },
    ) => {
      for (const source of sources)
        fs = await putFile(cx, fs, `${path}/`, await load(source, "File"), attributed(rest));
      return fs;
    },
  ),
  withNewFile: edit((fs, path, args: { path: string; contents: string } & Attributed & Expanding, { cx }) =>
    cx.views.step(fs, ["new file", path, sha256(args.contents), attributed(args)], (root) =>
      writeNewFile(root, path, args.contents, attributed(args)),
    ),
  ),
  withSymlink: (state: ContainerState, args: { target: string; linkName: string } & Expanding, { cx }) =>
    edited(state, pathOf(state, args.linkName, args), (fs, path) =>
      cx.views.step(fs, ["symlink", args.target, path], (root) => makeSymlink(root, args.target, path)),
    ),
  withoutDirectory: edit((fs, path, _: { path: string } & Expanding, { cx }) =>
    without(cx, fs, [absolute(path)]),
  ),
  withoutFile: edit((fs, path, _: { path: string } & Expanding, { cx }) => without(cx, fs, [absolute(path)])),
  withoutFiles: (state: ContainerState, args: { paths: string[] } & Expanding, { cx }) =>
    args.paths.reduce(
      (current, path) => edited(current, pathOf(state, path, args), (fs, at) => without(cx, fs, [at])),
      state,
    ),

  withMountedDirectory: mount(
    async (path, args: { path: string; source: string; owner: string; readOnly: boolean }, { load }) => ({
      kind: "tree",
      path,
      from: await load<DirectoryState>(args.source, "Directory"),
      readOnly: args.readOnly,
      owner: args.owner,
    }),
  ),
  withMountedFile: mount(async (path, args: { path: string; source: string; owner: string }, { load }) => ({
    kind: "file",
    path,
    from: await load<FileState>(args.source, "File"),
    owner: args.owner,
  })),
  withMountedCache: mount(
    async (
      path,
      args: { path: string; cache: string; source?: string; sharing: string; owner: string },
      { load },
    ) => ({
      kind: "cache",
      path,
      cache: await load<CacheState>(args.cache, "CacheVolume"),
      sharing: args.sharing,
      owner: args.owner,
      ...(args.source === undefined ? {} : { source: await load<DirectoryState>(args.source, "Directory") }),
    }),
  ),
  withMountedSecret: mount(
    async (path, args: { path: string; source: string; owner: string; mode: number }, { load }) => ({
      kind: "secret",
      path,
      secret: await load<SecretState>(args.source, "Secret"),
      owner: args.owner,
      mode: args.mode,
    }),
  ),
  withMountedTemp: mount((path, { size }: { path: string; size?: number }) => ({
    kind: "tmp",
    path,
    ...(size === undefined ? {} : { size }),
  })),
  withoutMount: (state: ContainerState, args: { path: string } & Expanding) => {
    const path = pathOf(state, args.path, args);
    return { ...state, mounts: state.mounts.filter((other) => other.path !== path) };
  },

  withExec: (state: ContainerState, args: ExecArguments, session) => {
    const inside = (path: string): string | undefined =>
      path === "" ? undefined : absolute(path, state.config.WorkingDir);
    const options = {
      args: commandLine(state, args.args, args.useEntrypoint, args.expand),
      stdin: args.stdin,
      redirectStdout: inside(args.redirectStdout),
      redirectStderr: inside(args.redirectStderr),
      expect: args.expect,
    };
    return executed(state, options, session);
  },
  stdout: async (state: ContainerState, _: object, session) => (await lastResult(state, session)).stdout,
  stderr: async (state: ContainerState, _: object, session) => (await lastResult(state, session)).stderr,
  combinedOutput: async (state: ContainerState, _: object, session) =>
    (await lastResult(state, session)).combined,
  exitCode: async (state: ContainerState, _: object, session) => (await lastResult(state, session)).exitCode,

  withServiceBinding: async (
    state: ContainerState,
    { alias, service }: { alias: string; service: string },
    { load },
  ) => ({
    ...state,
    bindings: [
      ...state.bindings.filter((other) => other.alias !== alias),
      { alias, service: await load<ServiceState>(service, "Service") },
    ],
  }),
  asService: (
    state: ContainerState,
    args: { args: string[]; useEntrypoint: boolean; expand: boolean },
    _,
    self,
  ): ServiceState => {
    const line = commandLine(state, args.args, args.useEntrypoint, args.expand);
    // A short name that is stable in a session: what Dagger does with the digest of the service.
    const id = sha256(JSON.stringify([self.id, line])).slice("sha256:".length);
    return { kind: "container", container: state, args: line, hostname: id.slice(0, 13), id };
  },

  publish: async (
    state: ContainerState,
    args: ImageArguments & { address: string; registryService?: string },
    session,
  ) => {
    const route = { auth: state.auth, service: await serviceOf(args.registryService, session) };
    return publish(session.cx, args.address, await variantsOf(state, args, session), mediaTypes(args), route);
  },
  asTarball: (state: ContainerState, args: ImageArguments, session): FileState => ({
    path: "/image.tar",
    fs: lazy(async () => {
      const variants = await variantsOf(state, args, session);
      const what = await Promise.all(
        variants.map(async ({ fs, config, platform, annotations }) => [
          (await fs.get()).layers,
          config,
          platform,
          annotations,
        ]),
      );
      return session.cx.views.step(EMPTY, ["tarball", what, mediaTypes(args)], (root) =>
        writeTarball(session.cx, `${root}/image.tar`, variants, mediaTypes(args)),
      );
    }),
  }),
  export: async (state: ContainerState, args: ImageArguments & { path: string }, session) => {
    const target = resolve(args.path);
    await writeTarball(session.cx, target, await variantsOf(state, args, session), mediaTypes(args));
    return target;
  },
} satisfies Fields<ContainerState>;
