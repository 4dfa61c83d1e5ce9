import { chmod } from "node:fs/promises";
import { posix, resolve } from "node:path";
import { TgoError } from "@tgo/errors";
import type { Expectation } from "../../exec/execs.js";
import { locationExists, type Location } from "../../files/location.js";
import { absolute } from "../../files/paths.js";
import { copyOf } from "../../files/put.js";
import type { Route } from "../../images/images.js";
import { writeOciArchive } from "../../images/oci-archive.js";
import { pushVariants } from "../../images/push-variants.js";
import { lazy } from "../../lazy.js";
import type { CacheState, ContainerState, Mount, SecretState, ServiceState } from "../../state.js";
import { textDigest } from "../../store/keys.js";
import { EMPTY } from "../../store/snapshot.js";
import { configFields, withEnv } from "./config.js";
import { editFields } from "./edits.js";
import type { Field, Fields, Session } from "./field.js";

export function emptyContainer(platform: string): ContainerState {
  return {
    ...{ platform, fs: lazy(() => EMPTY), config: {} },
    ...{ ports: [], mounts: [], secrets: [], bindings: [], auth: [] },
  };
}

interface PathArgument {
  readonly path: string;
}

/** The absolute path, and the mount it is in, if any. */
function findMount(state: ContainerState, given: string): { path: string; mount: Mount | undefined } {
  const path = absolute(given, state.config.WorkingDir);
  const [mount] = state.mounts
    .filter((other) => path === other.path || path.startsWith(`${other.path}/`))
    .sort((a, b) => b.path.length - a.path.length);
  return { path, mount };
}

/** A path's location, in a mounted directory or in the root file system. */
function locate(state: ContainerState, given: string): Location {
  const { path, mount } = findMount(state, given);
  if (!mount) return { fs: state.fs, path };
  if (mount.kind === "tree")
    return { fs: mount.from.fs, path: posix.join(mount.from.path, path.slice(mount.path.length)) };
  throw new TgoError("USAGE", `files in a mounted ${mount.kind} cannot be read from the container`, {
    where: path,
    remedy: "copy them elsewhere with withExec first",
  });
}

/** The path of a file to change, in the root file system: mounted files are not the container's. */
function locateForEdit(state: ContainerState, given: string): string {
  const { path, mount } = findMount(state, given);
  if (!mount) return path;
  throw new TgoError("USAGE", "the local engine cannot change files below a mount", {
    where: path,
    remedy: "change the mounted directory itself, or call withoutMount first",
  });
}

/** A field that mounts something at its `path`, replacing an earlier mount there. */
function mount<A extends PathArgument>(
  make: (path: string, args: A, session: Session) => Promise<Mount>,
): Field<ContainerState, A> {
  return async (state, args, session) => {
    const path = absolute(args.path, state.config.WorkingDir);
    const others = state.mounts.filter((other) => other.path !== path);
    return { ...state, mounts: [...others, await make(path, args, session)] };
  };
}

interface SourceArguments extends PathArgument {
  readonly source: string;
}

interface BindingArguments {
  readonly alias: string;
  readonly service: string;
}

interface CommandArguments {
  readonly args: readonly string[];
}

/** The given arguments, or the default ones if there are none. */
function commandLine({ config }: ContainerState, args: readonly string[]): readonly string[] {
  const all = args.length > 0 ? args : (config.Cmd ?? []);
  if (all.length > 0) return all;
  throw new TgoError("USAGE", "no command to run", { remedy: "pass args, or set default arguments" });
}

function withExec(state: ContainerState, args: readonly string[], expect: Expectation, { cx }: Session) {
  const lastExec = lazy(() => cx.execs.run(state, args, expect));
  const after = (mounted: Mount): Mount => {
    if (mounted.kind !== "tree") return mounted;
    const fs = lazy(async () => (await lastExec.get()).mounts[mounted.path] ?? mounted.from.fs.get());
    return { ...mounted, from: { ...mounted.from, fs } };
  };
  const fs = lazy(async () => (await lastExec.get()).fs);
  return { ...state, lastExec, fs, mounts: state.mounts.map(after) };
}

/** A field of the last command's result. */
function lastResult(part: "stdout" | "stderr" | "exitCode"): Field<ContainerState> {
  return async ({ lastExec }) => {
    if (lastExec) return (await lastExec.get())[part];
    throw new TgoError("USAGE", "this container ran no command", { remedy: "call withExec first" });
  };
}

interface VariantArguments {
  readonly platformVariants: readonly string[];
}

/** The container itself, unless it is empty, and the given variants. */
async function variantsOf(state: ContainerState, { platformVariants }: VariantArguments, { load }: Session) {
  const others = await Promise.all(platformVariants.map((id) => load<ContainerState>(id, "Container")));
  const all = (await state.fs.get()).layers.length > 0 ? [state, ...others] : others;
  if (all.length === 0) throw new TgoError("USAGE", "this container is empty: there is nothing to publish");
  return all;
}

interface RegistryArguments {
  readonly registryService?: string;
}

async function routeOf(
  { auth }: ContainerState,
  { registryService: id }: RegistryArguments,
  { load }: Session,
): Promise<Route> {
  return { auth, service: id === undefined ? undefined : await load<ServiceState>(id, "Service") };
}

export const containerFields = {
  ...configFields,
  ...editFields(locateForEdit),

  sync: async (state: ContainerState, _: object, __, self) => {
    await state.fs.get();
    return self.id;
  },
  platform: (state: ContainerState) => state.platform,
  imageRef: ({ fs, origin, pulled }: ContainerState) => {
    // Any change of a file makes another file system.
    if (origin?.imageRef !== undefined && fs === pulled) return origin.imageRef;
    throw new TgoError("USAGE", "imageRef can only be retrieved immediately after from");
  },
  from: async (state: ContainerState, args: RegistryArguments & { address: string }, session) => {
    const route = await routeOf(state, args, session);
    const { image, content } = await session.cx.images.pull(args.address, state.platform, route);
    const { config, platform, origin } = image;
    return {
      ...state,
      platform,
      origin,
      pulled: content,
      config: (state.config.Env ?? []).reduce(withEnv, config),
      fs: content,
    };
  },

  rootfs: (state: ContainerState): Location => ({ fs: state.fs, path: "/" }),
  directory: (state: ContainerState, { path }: PathArgument) => locate(state, path),
  file: (state: ContainerState, { path }: PathArgument) => locate(state, path),
  exists: (state: ContainerState, { path }: PathArgument, { cx }) => locationExists(cx, locate(state, path)),
  withRootfs: async (state: ContainerState, { directory }: { directory: string }, { cx, load }) => {
    const source = await load<Location>(directory, "Directory");
    return { ...state, fs: source.path === "/" ? source.fs : copyOf(cx, source, {}).fs };
  },

  withMountedDirectory: mount(
    async (path, { source, readOnly }: SourceArguments & { readOnly: boolean }, { load }) => {
      const from = await load<Location>(source, "Directory");
      return { kind: "tree", path, from, file: false, readOnly };
    },
  ),
  withMountedFile: mount(async (path, { source }: SourceArguments, { load }) => {
    const from = await load<Location>(source, "File");
    return { kind: "tree", path, from, file: true, readOnly: false };
  }),
  withMountedCache: mount(async (path, { cache: id }: PathArgument & { cache: string }, { load }) => {
    const cache = await load<CacheState>(id, "CacheVolume");
    return { kind: "cache", path, cache };
  }),
  withMountedSecret: mount(async (path, { source }: SourceArguments, { load }) => {
    const secret = await load<SecretState>(source, "Secret");
    return { kind: "secret", path, secret };
  }),
  withoutMount: (state: ContainerState, args: PathArgument) => {
    const path = absolute(args.path, state.config.WorkingDir);
    return { ...state, mounts: state.mounts.filter((other) => other.path !== path) };
  },

  withExec: (state: ContainerState, { args, expect }: CommandArguments & { expect: Expectation }, session) =>
    withExec(state, commandLine(state, args), expect, session),
  stdout: lastResult("stdout"),
  stderr: lastResult("stderr"),
  exitCode: lastResult("exitCode"),

  withServiceBinding: async (state: ContainerState, { alias, service: id }: BindingArguments, { load }) => {
    const service = await load<ServiceState>(id, "Service");
    const others = state.bindings.filter((other) => other.alias !== alias);
    return { ...state, bindings: [...others, { alias, service }] };
  },
  asService: (container: ContainerState, given: CommandArguments, _, { id }): ServiceState => {
    const args = commandLine(container, given.args);
    return { kind: "container", container, args, id: textDigest(JSON.stringify([id, args])) };
  },

  publish: async (
    state: ContainerState,
    args: RegistryArguments & VariantArguments & { address: string },
    session,
  ) => {
    const route = await routeOf(state, args, session);
    return pushVariants(session.cx, args.address, await variantsOf(state, args, session), route);
  },
  asTarball: (state: ContainerState, args: VariantArguments, session): Location => ({
    path: "/image.tar",
    fs: lazy(async () => {
      const { cx } = session;
      const variants = await variantsOf(state, args, session);
      const key = await Promise.all(
        variants.map(async ({ fs, config, platform }) => [(await fs.get()).layers, config, platform]),
      );
      return cx.snapshots.step(EMPTY, ["tarball", key], (root) =>
        writeOciArchive(cx, `${root}/image.tar`, variants).then(() => chmod(`${root}/image.tar`, 0o644)),
      );
    }),
  }),
  export: async (state: ContainerState, args: VariantArguments & PathArgument, session) => {
    const target = resolve(args.path);
    await writeOciArchive(session.cx, target, await variantsOf(state, args, session));
    return target;
  },
} satisfies Fields<ContainerState>;
